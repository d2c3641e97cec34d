// One test at a time: the threads belong to libtorch, and the live-tensor counts and seeds are the process's.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
