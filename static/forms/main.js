// Forms in motion. The server judges everything again; a form works without any of it.

// What leaves asks what is being sent, and listens after it.
import "./sending.js";
import "./dirty.js";
import "./leaving.js";
