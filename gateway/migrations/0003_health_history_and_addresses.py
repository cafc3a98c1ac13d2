from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("gateway", "0002_simulated_causes")]

    operations = [
        migrations.AddField(
            model_name="verdict",
            name="history",
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name="verdict",
            name="remembered_address",
            field=models.CharField(blank=True, max_length=45),
        ),
    ]
