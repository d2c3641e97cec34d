using System.Runtime.ExceptionServices;
using ResearchKit.Training;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Distributed;

/// <summary>Workers that are threads of this process: each tensor is summed in the order of the ranks.</summary>
internal sealed class ThreadWorkers(int rank, ThreadWorkers.Meeting meeting) : ICommunicator
{
    /// <summary>Where the threads meet.</summary>
    internal sealed class Meeting(int count) : IDisposable
    {
        public int Count { get; } = count;

        public Barrier Barrier { get; } = new(count);

        public IReadOnlyList<Tensor>[] Brought { get; } = new IReadOnlyList<Tensor>[count];

        public CancellationTokenSource Failed { get; } = new();

        public void Dispose()
        {
            Barrier.Dispose();
            Failed.Dispose();
        }
    }

    public int Rank => rank;

    public int WorldSize => meeting.Count;

    public void AllReduce(IReadOnlyList<Tensor> tensors) => Exchange(tensors, place =>
    {
        var sum = meeting.Brought[0][place].clone();
        for (var other = 1; other < WorldSize; other++) sum.add_(meeting.Brought[other][place]);
        return sum;
    });

    public void Broadcast(IReadOnlyList<Tensor> tensors, int from) =>
        Exchange(tensors, place => meeting.Brought[from][place].clone());

    /// <summary>Runs the same work in each of several workers, to the end of all.</summary>
    public static T[] Run<T>(int count, Func<ICommunicator, T> work)
    {
        using var meeting = new Meeting(count);
        var (results, errors) = (new T[count], new Exception?[count]);
        var threads = Enumerable.Range(0, count).Select(rank => new Thread(() =>
        {
            try
            {
                results[rank] = work(new ThreadWorkers(rank, meeting));
            }
            catch (Exception error)
            {
                errors[rank] = error;
                meeting.Failed.Cancel();
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        if (errors.FirstOrDefault(error => error is not null and not OperationCanceledException) is { } first)
            ExceptionDispatchInfo.Throw(first);
        return results;
    }

    private void Exchange(IReadOnlyList<Tensor> tensors, Func<int, Tensor> result)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        meeting.Brought[rank] = tensors;
        meeting.Barrier.SignalAndWait(meeting.Failed.Token);
        for (var other = 1; other < WorldSize; other++)
            Assert.Equal(meeting.Brought[0].Select(tensor => (tensor.dtype, string.Join(",", tensor.shape))),
                meeting.Brought[other].Select(tensor => (tensor.dtype, string.Join(",", tensor.shape))));
        var results = Enumerable.Range(0, tensors.Count).Select(result).ToList();
        meeting.Barrier.SignalAndWait(meeting.Failed.Token);
        for (var i = 0; i < tensors.Count; i++) tensors[i].copy_(results[i]);
        meeting.Barrier.SignalAndWait(meeting.Failed.Token);
    }
}
