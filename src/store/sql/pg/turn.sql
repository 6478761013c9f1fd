SELECT dropped, below FROM weir_outbox_turn($1::timestamptz)
