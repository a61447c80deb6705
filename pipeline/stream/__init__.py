"""The Kafka and Faust side: batches arrive by `delivery`, are judged by `claims` and leave by `sink`."""
