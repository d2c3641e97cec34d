// One test at a time: the threads belong to libtorch, and the live-tensor counts and seeds are the process's. Only the tests of
// the collection OtherPrograms run beside them. F# cells run last, alone.
[assembly: CollectionBehavior(CollectionBehavior.CollectionPerAssembly, MaxParallelThreads = -1)]
