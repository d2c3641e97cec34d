using ResearchKit.Layers;
using ResearchKit.Native;
using static TorchSharp.torch;

namespace ResearchKit.Benchmarks.Tables;

/// <summary>What the self-check of the kernels adds to the time until a process has its first result.</summary>
internal static class StartRows
{
    /// <summary>The argument that makes this program compute one product and end.</summary>
    public const string FirstResult = "first-result";

    private const string CheckVariable = "RESEARCHKIT_SELFCHECK";

    public static IEnumerable<Row> All() =>
    [
        new()
        {
            Name = "a process with its first product, self-check cached",
            Reference = "without a self-check",
            Comparison = Comparison.Difference,
            Target = _ => 20,
            Rounds = 41,
            Prepare = () => new Pair(Process(""), Process("off")),
        },
        new()
        {
            Name = "a process with its first product, self-check made anew",
            Reference = "without a self-check",
            Comparison = Comparison.Difference,
            Rounds = 5,
            Prepare = () => new Pair(Process("force"), Process("off")),
        },
    ];

    /// <summary>Computes one product by a layer of the kit.</summary>
    public static void Run()
    {
        using var noGrad = no_grad();
        using var layer = new Dense(256, 256);
        using var x = ones(64, 256);
        using var y = layer.call(x);
        _ = Compute.Kernels;
    }

    /// <summary>Milliseconds of such a process, from its start to its end.</summary>
    private static Func<double> Process(string check) => Pair.Time(() =>
    {
        var start = ThisProgram.ToStart(FirstResult)!;
        start.RedirectStandardOutput = true;
        start.Environment[CheckVariable] = check;
        using var process = System.Diagnostics.Process.Start(start)!;
        process.WaitForExit();
        if (process.ExitCode != 0) throw new NotSupportedException($"The process ended with {process.ExitCode}.");
    });
}
