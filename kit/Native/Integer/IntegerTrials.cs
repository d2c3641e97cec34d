using System.Diagnostics;
using System.Globalization;
using static TorchSharp.torch;

namespace ResearchKit.Native;

/// <summary>Measures the kit's integer products against float32, once for each machine.</summary>
/// <remarks>
/// The results are kept beside those of <see cref="KernelSelfCheck"/>, for the same machine, libraries and threads. A portable
/// run measures nothing and takes the integer products, which give the same bits everywhere.
/// </remarks>
internal static class IntegerTrials
{
    private const int Inputs = 768, Outputs = 1024, Group = 32, Copies = 8;
    private const string Format = "researchkit integer products 2";

    /// <summary>The stored result of this machine, or a new one.</summary>
    public static IntegerGains CachedOrNew(CodeStorage storage)
    {
        if (PortableMode.IsOn || !IntegerSums.IsSupported || storage == CodeStorage.None
            || EnvironmentSwitch.Value(Kernels.CheckVariable) == Kernels.Off) return IntegerGains.Unknown;
        var key = $"{Format}; {storage}; {KernelSelfCheck.Key()}";
        if (EnvironmentSwitch.Value(Kernels.CheckVariable) != Kernels.Force && Read(key) is { } known) return known;
        var made = New(storage);
        if (!made.Gains.Any(double.IsNaN)) Write(key, made);
        return made;
    }

    private static IntegerGains New(CodeStorage storage)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var plain = Autocast.Pause(TorchSharp.DeviceType.CPU);
        var weight = KernelTrials.Numbers(Outputs, Inputs);
        // as many as do not stay in a cache, since one row is multiplied as fast as its weights are read
        var packed = Enumerable.Range(0, Copies).Select(_ => OneDnnLinear.Pack(weight) ?? weight.clone()).ToArray();
        var isPacked = OneDnnLinear.Pack(weight) is not null;
        var panels = Enumerable.Range(0, Copies).Select(_ => new CodePanels(Codes(storage))).ToArray();
        var oneDnn = storage == CodeStorage.Bytes && OneDnnCodes.IsWorthTrying && OneDnnIsRight()
            ? Enumerable.Range(0, Copies).Select(_ => Packed(Codes(storage))).ToArray() : [];
        try
        {
            var (turn, start) = (0, Stopwatch.GetTimestamp());
            var gains = IntegerGains.Rows.Select(rows =>
            {
                if (Stopwatch.GetElapsedTime(start) > KernelTrials.Budget) return (double.NaN, double.NaN, double.NaN);
                using var inner = NewDisposeScope();
                var x = KernelTrials.Numbers(rows, Inputs);
                Func<Tensor>[] kernels =
                [
                    () => isPacked ? OneDnnLinear.MultiplyPacked(x, packed[turn++ % Copies], null)
                        : nn.functional.linear(x, packed[turn++ % Copies]),
                    () => panels[turn++ % Copies].Multiply(x, null, default),
                    () => nn.functional.linear(x, Dequantized(panels[turn++ % Copies])),
                ];
                if (oneDnn.Length > 0) kernels = [.. kernels, () => oneDnn[turn++ % Copies].Multiply(x, null, 0)];
                foreach (var kernel in kernels) kernel().Dispose();
                return SteadyTime.Of(kernels) is not { } times ? (double.NaN, double.NaN, double.NaN)
                    : (times[0] / times[1], times[0] / times[2], times.Length > 3 ? times[0] / times[3] : double.NaN);
            }).ToList();
            return new IntegerGains([.. gains.Select(gain => gain.Item1)], [.. gains.Select(gain => gain.Item2)],
                [.. gains.Select(gain => gain.Item3)]);
        }
        finally
        {
            foreach (var one in panels) one.Dispose();
            foreach (var one in oneDnn) one.Dispose();
        }
    }

    /// <summary>Whether oneDNN's sums are exact where all codes and inputs are as large as they can be.</summary>
    public static bool OneDnnIsRight()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var weight = new WeightCodes(CodeStorage.Bytes, full([64, 512], sbyte.MaxValue, ScalarType.Int8), ones(64, 1));
        using var packed = OneDnnCodes.Pack(weight.Codes, weight.Scales);
        using var panels = new CodePanels(weight);
        foreach (var rows in new[] { 1, 3, 64 })
        {
            var x = full([rows, 512], 2.0f);
            var expected = panels.Multiply(x, null, new InputPrecision(true));
            if (packed is null || (packed.Multiply(x, null, 0) - expected).abs().max().item<float>()
                > KernelSelfCheck.Tolerance * expected.abs().max().item<float>()) return false;
        }
        return true;
    }

    private static OneDnnCodes Packed(WeightCodes weight) => OneDnnCodes.Pack(weight.Codes, weight.Scales)!;

    private static WeightCodes Codes(CodeStorage storage)
    {
        var highest = storage == CodeStorage.Bytes ? 127 : 15;
        var codes = KernelTrials.Numbers(Outputs, Inputs).mul_(highest).round_();
        var scales = ones(Outputs, storage == CodeStorage.Bytes ? 1 : Inputs / Group);
        return storage == CodeStorage.Bytes ? new WeightCodes(storage, codes.to(ScalarType.Int8), scales)
            : new WeightCodes(storage, codes.abs().to(ScalarType.Byte), scales, Zero: storage == CodeStorage.Nibbles ? 8 : 0,
                Table: storage == CodeStorage.Table ? [.. Enumerable.Range(-8, 16).Select(place => place / 8f)] : null);
    }

    private static Tensor Dequantized(CodePanels panels)
    {
        var codes = panels.Rows(arange(Outputs, ScalarType.Int64));
        var numbers = codes.Codes.to(ScalarType.Float32).view(Outputs, codes.Scales.shape[1], -1);
        return ((numbers - codes.Zero) * codes.Scales.unsqueeze(-1)).view(Outputs, Inputs);
    }

    private static IntegerGains? Read(string key)
    {
        try
        {
            var path = KernelCache.PathFor(key);
            if (!File.Exists(path) || File.ReadAllLines(path) is not [Format, var stored, var gains, var others, var oneDnn]
                || stored != key) return null;
            double[][] read = [Numbers(gains), Numbers(others), Numbers(oneDnn)];
            return read.All(numbers => numbers.Length == IntegerGains.Rows.Count)
                ? new IntegerGains(read[0], read[1], read[2]) : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or FormatException)
        {
            return null;
        }
    }

    private static void Write(string key, IntegerGains gains)
    {
        var path = KernelCache.PathFor(key);
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            AtomicWrite.To(path, temporary =>
                File.WriteAllLines(temporary, [Format, key, Text(gains.Gains), Text(gains.Dequantized), Text(gains.OneDnn)]));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // the next process measures again
        }
    }

    private static string Text(IReadOnlyList<double> numbers) =>
        string.Join(' ', numbers.Select(number => number.ToString("R", CultureInfo.InvariantCulture)));

    private static double[] Numbers(string line) =>
        [.. line.Split(' ').Select(number => double.Parse(number, CultureInfo.InvariantCulture))];
}
