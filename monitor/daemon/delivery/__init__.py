"""The delivery job: what waits for each receiver is sent, again and again until it arrived or is a dead letter.

deliverer   one line a receiver; a word to the operators when one fails     setup       settings → receivers with sinks
line        one receiver: plan, freeze, send, settle                        pace        token bucket, circuit, retry delay
look        what one receiver should be sent now                            heartbeat   the dead-man switch
values      receivers and what came of a try                                clock       time that never goes back

Rule: what a message is and when it leaves is decided in `alerts`, what came of sending it in `sinks`; here it is done.
"""
