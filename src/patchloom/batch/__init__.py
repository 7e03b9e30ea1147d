"""Folders of pictures: every one filled once, none lost, however the run is interrupted.

==================  =====================================================================================
``folders``         where files lie: a local folder, or any fsspec address (``s3://…``)
``pairing``         which mask belongs to which photo, and what the result is called
``journal``         the append-only record that makes a run resumable and that the report is made from
``work``            the unit of work: one photo and its mask, read, filled and written by whoever has it
``pool``            worker processes of this machine, each replaced when the kernel kills it
``cluster``         the same on an existing ``distributed`` scheduler
``machine``         how many workers with how many threads, and how much memory each
``run``             the run itself: tasks out, outcomes in, retries, journal, events
``watch``           an endless source of tasks: what appears in a folder
``estimate``        what a run would do and how long it would take
==================  =====================================================================================

A picture's result depends on the picture, its mask and the settings, and on nothing else: neither on the order
nor on the number of workers. Each fill starts from the seed in the settings and runs on one thread, so that a
picture filled in a batch has the bytes that ``patchloom fill --threads 1`` gives it.
"""
