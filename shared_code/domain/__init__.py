"""What a payment is: the event, money, time windows and vocabularies. No Azure, no SQL."""
