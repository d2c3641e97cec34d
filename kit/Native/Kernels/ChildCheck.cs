using System.Diagnostics;
using System.Globalization;
using static TorchSharp.torch;

namespace ResearchKit.Native;

/// <summary>
/// The trials of the self-check that need a child process: those that can crash, and those that must change a
/// setting before a library's first call.
/// </summary>
/// <remarks>
/// The child is the same program with the kit as its startup hook (<c>DOTNET_STARTUP_HOOKS</c>). The hook runs
/// before the program's own code, runs one trial, prints one line and ends the process. Where a program cannot
/// be started this way, such as one published as a single file, the trial counts as undecided.
/// </remarks>
internal static class ChildCheck
{
    public const string Assemblies = "RESEARCHKIT_CHILD_ASSEMBLIES";
    private const string Task = "RESEARCHKIT_CHILD_CHECK", Answer = "researchkit-check ";
    private const string ConvolutionTask = "convolution", MklTask = "mkl", MklIntelTask = "mkl-intel";
    // limits of the CPU time of each thread of the child, and of the elapsed time for a busy machine
    private static readonly TimeSpan CpuLimit = TimeSpan.FromSeconds(3), WallLimit = TimeSpan.FromSeconds(15);
    private static readonly int[] CrashCodes = [132, 134, 135, 136, 139];   // 128 + SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGSEGV

    /// <summary>Whether this process is such a child.</summary>
    public static bool IsChild => EnvironmentSwitch.Value(Task) is not null;

    /// <summary>Result of the trial of oneDNN's convolutions.</summary>
    /// <param name="IsRight">Whether the results are correct.</param>
    /// <param name="IsFinal">Whether the trial gave a definite result, so that it need not be repeated.</param>
    /// <param name="Error">Largest relative error; NaN if the child did not report it.</param>
    /// <param name="Note">Description of the result, in words.</param>
    public sealed record Report(bool IsRight, bool IsFinal, double Error, string Note);

    /// <summary>
    /// Tests whether oneDNN's convolutions are correct with the cache sizes that the kit gives to oneDNN.
    /// </summary>
    public static Report Convolutions()
    {
        var (numbers, code) = Run(ConvolutionTask);
        if (numbers is [var error])
            return new Report(error <= KernelSelfCheck.Tolerance, true, error, "oneDNN's convolutions are wrong here");
        return code is not { } crash || !IsCrash(crash)
            ? new Report(false, false, double.NaN, "oneDNN's convolutions could not be tried in a child process")
            : new Report(false, true, double.NaN, string.Create(CultureInfo.InvariantCulture,
                $"oneDNN's convolutions ended the child process that tried them (exit code {code})"));
    }

    /// <summary>
    /// Tests whether MKL is faster with its code paths for Intel processors. The two settings run in two processes;
    /// to be comparable, each divides MKL's time by oneDNN's.
    /// </summary>
    public static (KernelChoice Choice, bool IsFinal) MklPath()
    {
        var keep = new KernelChoice(KernelTable.Mkl, KernelTable.MklDefault);
        if (Run(MklTask).Numbers is not [var plain, var plainError]) return (keep, false);
        var (numbers, code) = Run(MklIntelTask);
        if (numbers is not [var intel, var error]) return (keep, code is { } crash && IsCrash(crash));
        var gain = plain / intel;
        var better = error <= KernelSelfCheck.Tolerance && gain >= KernelSelfCheck.LeastGain;
        return (new KernelChoice(KernelTable.Mkl, better ? KernelTable.MklIntel : KernelTable.MklDefault, gain,
            better ? error : plainError), true);
    }

    /// <summary>Whether an exit code means that a fault in native code ended the process.</summary>
    private static bool IsCrash(int code) => CrashCodes.Contains(code) || (OperatingSystem.IsWindows() && code < 0);

    /// <summary>
    /// Runs the trial and exits if this process is a child; otherwise does nothing. Called by the startup hook.
    /// </summary>
    public static void RunIfChild()
    {
        if (EnvironmentSwitch.Value(Task) is not { } task) return;
        using (no_grad())
        {
            double[] numbers = task switch
            {
                ConvolutionTask => [Convolve()],
                MklTask => MklTimes(),
                MklIntelTask => MklPaths.Tell() ? MklTimes() : [],
                _ => throw new InvalidOperationException(
                    $"{Task} is '{task}'; expected {ConvolutionTask}, {MklTask} or {MklIntelTask}."),
            };
            Console.WriteLine(Answer + string.Join(' ',
                numbers.Select(number => number.ToString("R", CultureInfo.InvariantCulture))));
        }
        Environment.Exit(0);
    }

    private static double Convolve()
    {
        _ = OneDnnCacheRecord.IsRight;
        var error = KernelTrials.ConvolutionError();
        using var scope = NewDisposeScope();
        using var grad = enable_grad();
        var x = KernelTrials.Numbers(2, 1024, 14, 14).requires_grad_();
        var weight = KernelTrials.Numbers(2048, 1024, 1, 1).requires_grad_();
        nn.functional.conv2d(x, weight, strides: [2, 2]).sum().backward();   // oneDNN divides by a cache size here
        return error;
    }

    /// <summary>
    /// Measures the geometric mean of three MKL times (few rows, many rows, attention heads) divided by oneDNN's
    /// time for many rows. Also returns the largest error.
    /// </summary>
    private static double[] MklTimes()
    {
        using var scope = NewDisposeScope();
        var few = KernelTrials.Numbers(4, 768);
        var weight = KernelTrials.Numbers(3072, 768);
        var many = KernelTrials.Numbers(256, 384);
        var wide = KernelTrials.Numbers(512, 384);
        var queries = KernelTrials.Numbers(48, 64, 64);
        var keys = KernelTrials.Numbers(48, 64, 64);
        Func<Tensor>[] kernels = [() => OneDnnLinear.Multiply(many, wide), () => nn.functional.linear(few, weight),
            () => nn.functional.linear(many, wide), () => queries.bmm(keys.transpose(1, 2))];
        foreach (var kernel in kernels) kernel().Dispose();
        if (SteadyTime.Of(kernels) is not { } times) return [];
        var exact = new[] { few.to(float64).mm(weight.to(float64).t()), many.to(float64).mm(wide.to(float64).t()),
            queries.to(float64).bmm(keys.to(float64).transpose(1, 2)) };
        var error = exact.Select((sum, place) => ((kernels[place + 1]().to(float64) - sum).abs().max()
            / sum.abs().max()).item<double>()).Max();
        return [Math.Pow(times[1] * times[2] * times[3], 1.0 / 3) / times[0], error];
    }

    /// <summary>Runs one trial in a child process.</summary>
    /// <returns>The numbers that the child printed, null for none; and its exit code, null if it did not exit by
    /// itself.</returns>
    private static (double[]? Numbers, int? Code) Run(string task)
    {
        if (IsChild || ToStart() is not { } start) return (null, null);
        start.RedirectStandardOutput = start.RedirectStandardError = start.RedirectStandardInput = true;
        start.Environment[Task] = task;
        start.Environment["DOTNET_STARTUP_HOOKS"] = typeof(ChildCheck).Assembly.Location;
        start.Environment[Assemblies] = typeof(TorchSharp.torch).Assembly.Location;
        start.Environment["OMP_NUM_THREADS"] = Compute.Threads.ToString(CultureInfo.InvariantCulture);
        try
        {
            using var child = Process.Start(start)!;
            child.StandardInput.Close();
            child.ErrorDataReceived += (_, _) => { };   // discards error output of a crashing runtime
            child.BeginErrorReadLine();
            var output = child.StandardOutput.ReadToEndAsync();
            var started = Stopwatch.GetTimestamp();
            while (!child.WaitForExit(100))
                if (child.TotalProcessorTime > CpuLimit * Compute.Threads || Stopwatch.GetElapsedTime(started) > WallLimit)
                {
                    child.Kill(entireProcessTree: true);
                    return (null, null);
                }
            var line = output.Result.Split('\n').FirstOrDefault(line => line.StartsWith(Answer, StringComparison.Ordinal));
            return (line?[Answer.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)
                .Select(number => double.Parse(number, CultureInfo.InvariantCulture)).ToArray(), child.ExitCode);
        }
        catch (Exception error) when (error is System.ComponentModel.Win32Exception or InvalidOperationException or IOException)
        {
            return (null, null);
        }
    }

    /// <summary>This program, to be started again with the kit as its startup hook; null where that cannot be done.</summary>
    private static ProcessStartInfo? ToStart()
    {
        var hooksWork = !AppContext.TryGetSwitch("System.StartupHookProvider.IsSupported", out var supported) || supported;
        return hooksWork && typeof(ChildCheck).Assembly.Location.Length > 0 ? ThisProgram.ToStart() : null;
    }
}
