from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("gateway", "0006_error_pages")]

    operations = [
        migrations.AddField(
            model_name="verdict",
            name="requests_fail",
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]
