"""Answer queries of people nobody knows: processes that may be killed, fair turns, and the pool over them.

`reader_pool` is what others use. Below it `generations` keeps processes for each version, `processes` is our end of
one, `nursery` and `worker` the other, `wire` what goes between; `turns` is the queue.
"""
