from __future__ import annotations

from gateway.models import ApplicationGateway, HttpListener, PathRule, VirtualNetwork
from gateway.rules.words import called, listed, named, quoted, texts


def test_sentences_begin_with_the_kind_of_thing_and_its_name():
    assert called(HttpListener(name="web")) == "Listener “web”"
    assert called(PathRule(name="images")) == "Path rule “images”"
    assert called(ApplicationGateway(name="g")) == "Gateway “g”"
    assert called(VirtualNetwork(name="v")) == "Virtual network “v”"
    assert named(HttpListener(name="web")) == "listener “web”"


def test_lists_are_read_aloud_and_long_ones_cut():
    assert listed([]) == ""
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed("abcdefg") == "a, b, c, d, e and 2 more"
    assert quoted(["a", "b"]) == "“a” and “b”"


def test_only_texts_of_a_list_count():
    assert texts(["a", 1, None, "b"]) == ["a", "b"]
    assert texts("ab") == texts(None) == []
