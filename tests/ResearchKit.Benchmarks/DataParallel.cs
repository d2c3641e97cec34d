using System.Diagnostics;
using BenchmarkDotNet.Attributes;
using ResearchKit.Distributed;
using ResearchKit.Models;
using ResearchKit.Native;
using ResearchKit.Training;
using static TorchSharp.torch;

namespace ResearchKit.Benchmarks;

/// <summary>
/// A step of the GPT of <see cref="GptTraining"/> on the same 8 windows: by one process with two threads, and by two processes
/// under mpirun with one thread and 4 windows each (to reach: 0.9 times as fast or better, a ratio of 1.11 or less).
/// </summary>
[WarmupCount(1)]
[IterationCount(8)]
public class DataParallel
{
    /// <summary>The argument with which mpirun starts this program as one of the processes.</summary>
    public const string Worker = "data-parallel-worker";

    private const int Processes = 2;
    private readonly int threads = Compute.Threads;
    private Gpt model = null!;
    private Trainer trainer = null!;
    private IEnumerator<StepReport> steps = null!;
    private Process mpirun = null!;

    [GlobalSetup(Target = nameof(OneProcess))]
    public void SetUpOne()
    {
        Compute.Threads = Processes;
        model = GptTraining.Model();
        trainer = GptTraining.Train(model, Precision.Full);
        steps = trainer.Run().GetEnumerator();
    }

    [Benchmark(Baseline = true)]
    public bool OneProcess() => steps.MoveNext();

    [GlobalCleanup(Target = nameof(OneProcess))]
    public void CleanUpOne()
    {
        steps.Dispose();
        trainer.Dispose();
        model.Dispose();
        Compute.Threads = threads;
    }

    [GlobalSetup(Target = nameof(TwoProcesses))]
    public void SetUpTwo()
    {
        var start = new ProcessStartInfo("mpirun",
            ["--allow-run-as-root", "--oversubscribe", "--bind-to", "none", "-n", $"{Processes}",
            "dotnet", typeof(DataParallel).Assembly.Location, Worker])
        { RedirectStandardInput = true, RedirectStandardOutput = true };
        start.Environment["OMP_NUM_THREADS"] = "1";
        mpirun = Process.Start(start)!;
        TwoProcesses();   // once they are up
    }

    [Benchmark]
    public string TwoProcesses()
    {
        mpirun.StandardInput.WriteLine();
        return mpirun.StandardOutput.ReadLine()
            ?? throw new InvalidOperationException("mpirun has ended; what it said is above.");
    }

    [GlobalCleanup(Target = nameof(TwoProcesses))]
    public void CleanUpTwo()
    {
        mpirun.StandardInput.Close();
        mpirun.WaitForExit();
        mpirun.Dispose();
    }

    /// <summary>One of the processes: a step for each line that the first one is given.</summary>
    public static void Work()
    {
        using var workers = MpiWorkers.Start();
        using var model = GptTraining.Model();
        using var trainer = GptTraining.Train(model, Precision.Full, workers);
        using var steps = trainer.Run().GetEnumerator();
        using var another = zeros(1);
        while (true)
        {
            if (workers.Rank == 0) another.fill_(Console.ReadLine() is null ? 0 : 1);
            workers.Broadcast([another], from: 0);
            if (another.item<float>() == 0 || !steps.MoveNext()) return;
            if (workers.Rank == 0) Console.WriteLine(steps.Current);
        }
    }
}
