"""AMQP 1.0 on the wire: types, performatives, frames and messages, free of any input or output.

The format is that of the OASIS standard "AMQP Version 1.0", parts 1 (types), 2 (transport),
3 (messaging) and 5 (security).
"""
