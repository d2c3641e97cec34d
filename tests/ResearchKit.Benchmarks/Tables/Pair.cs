using System.Diagnostics;

namespace ResearchKit.Benchmarks.Tables;

/// <summary>The two sides of a row, ready to run. Each call measures one round and returns it in the row's unit.</summary>
/// <param name="ours">Measures ours.</param>
/// <param name="reference">Measures the reference.</param>
/// <param name="owned">What both need, to be disposed of afterwards, in this order.</param>
internal sealed class Pair(Func<double> ours, Func<double> reference, params IEnumerable<IDisposable> owned) : IDisposable
{
    /// <summary>
    /// For so long both sides rest before each round: threads of the other side wait actively for a while after its last
    /// operation.
    /// </summary>
    private const int Rest = 300;

    /// <summary>One round of ours.</summary>
    public double Ours() => AfterRest(ours);

    /// <summary>One round of the reference.</summary>
    public double Reference() => AfterRest(reference);

    private static double AfterRest(Func<double> round)
    {
        Thread.Sleep(Rest);
        return round();
    }

    public void Dispose()
    {
        foreach (var one in owned) one.Dispose();
    }

    /// <summary>Milliseconds that a call takes, the mean of several in a row.</summary>
    public static Func<double> Time(Action call, int calls = 1) => () =>
    {
        var start = Stopwatch.GetTimestamp();
        for (var i = 0; i < calls; i++) call();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds / calls;
    };
}
