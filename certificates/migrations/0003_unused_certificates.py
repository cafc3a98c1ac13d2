from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("certificates", "0002_workshop"),
    ]

    operations = [
        migrations.AddField(
            model_name="certificate",
            name="unused_since",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
