"""The pure middle: functions on records. No Kafka, no clock, no metrics, no files but their own data."""
