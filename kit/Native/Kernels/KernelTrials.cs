using System.Diagnostics;
using static TorchSharp.torch;

namespace ResearchKit.Native;

/// <summary>
/// The trials of the self-check that run in the process itself. Each kernel is compared with float64 for its
/// error, and with the default kernel for its time.
/// </summary>
internal static class KernelTrials
{
    /// <summary>A comparison of two kernels of one operation on the same inputs.</summary>
    private sealed record Trial(string Operation, string Alternative, Func<Tensor> Default, Func<Tensor> Other,
        Func<Tensor> Exact, double Tolerance, double LeastGain = KernelSelfCheck.LeastGain);

    /// <summary>
    /// No further trial starts after this time. On an idle machine all trials take a tenth of it.
    /// </summary>
    public static readonly TimeSpan Budget = TimeSpan.FromSeconds(1);

    /// <summary>Adds the fastest correct kernel of each operation to the table.</summary>
    /// <param name="table">The choices made so far.</param>
    /// <param name="complete">Whether all times were compared; false if the machine was too busy. The other
    /// operations keep the default.</param>
    public static KernelTable All(KernelTable table, out bool complete)
    {
        complete = true;
        if (table[KernelTable.Convolution] == KernelTable.OneDnn)
        {
            var error = OnItsOwnThread(ConvolutionError);
            table = table.With(new KernelChoice(KernelTable.Convolution,
                error <= KernelSelfCheck.Tolerance ? KernelTable.OneDnn : KernelTable.Columns, Error: error));
        }
        IEnumerable<Trial> trials = [];
        if (OneDnnLinear.IsThere && !OddShapesAreRight())
            table = table with { Source = $"{table.Source}; oneDNN's products are wrong here" };
        else if (OneDnnLinear.IsThere) trials = Products();
        if (!Workarounds.IsOff(Workarounds.BFloat16)) trials = trials.Concat(BFloat16(table));
        var start = Stopwatch.GetTimestamp();
        foreach (var trial in trials)
        {
            if (Stopwatch.GetElapsedTime(start) > Budget)
            {
                complete = false;
                break;
            }
            table = table.With(Better(trial, ref complete));
        }
        return OneDnnLinear.IsThere && complete && IntegerSums.IsSupported ? table.With(Token(table, ref complete)) : table;
    }

    /// <summary>
    /// Tries the kit's own product of one row. In a step of one token it saves the calls into libtorch as well, so it is chosen
    /// where it is as fast.
    /// </summary>
    private static KernelChoice Token(KernelTable table, ref bool complete)
    {
        const int inputs = 768, outputs = 1024, copies = 13;
        using var scope = NewDisposeScope();
        var turn = 0;
        var x = Numbers(1, inputs);
        var weight = Numbers(outputs, inputs);
        var isPacked = table[KernelTable.PackedOneRow] == KernelTable.OneDnn;
        var weights = Enumerable.Range(0, copies).Select(_ => isPacked ? OneDnnLinear.Pack(weight)! : weight.clone()).ToArray();
        RowWeight?[] own = isPacked ? [.. weights.Select(one => PanelRowWeight.Of(one, outputs, inputs))]
            : [.. weights.Select(one => new PlainRowWeight(one))];
        return own.Contains(null) ? new KernelChoice(KernelTable.Token, KernelTable.Libtorch)
            : Better(new Trial(KernelTable.Token, KernelTable.Kit,
                () => isPacked ? OneDnnLinear.MultiplyPacked(x, weights[turn++ % copies], null)
                    : nn.functional.linear(x, weights[turn++ % copies]),
                () => own[turn++ % copies]!.Multiply(x), () => x.to(float64).mm(weight.to(float64).t()),
                KernelSelfCheck.Tolerance, LeastGain: 1), ref complete);
    }

    /// <summary>
    /// Measures the largest error of oneDNN's convolutions and of their gradients, over shapes for which wrong
    /// cache sizes give wrong results.
    /// </summary>
    public static double ConvolutionError()
    {
        var largest = 0.0;
        foreach (var (batch, inputs, outputs, side, kernel, stride, padding) in new[] { (2, 1, 6, 28, 5, 1, 0),
            (3, 5, 7, 13, 3, 1, 1), (3, 17, 33, 23, 4, 3, 1) })
        {
            using var scope = NewDisposeScope();
            using var grad = enable_grad();
            var x = Numbers(batch, inputs, side, side).requires_grad_();
            var weight = Numbers(outputs, inputs, kernel, kernel).requires_grad_();
            var x64 = x.detach().to(float64).requires_grad_();
            var weight64 = weight.detach().to(float64).requires_grad_();
            Tensor Of(Tensor x, Tensor weight) => nn.functional.conv2d(x, weight, null, [stride, stride], [padding, padding]);
            var y = Of(x, weight);
            var y64 = Of(x64, weight64);
            y.square().sum().backward();
            y64.square().sum().backward();
            largest = new[] { largest, Difference(y, y64), Difference(x.grad!, x64.grad!),
                Difference(weight.grad!, weight64.grad!) }.Max();
        }
        return largest;
    }

    /// <summary>
    /// Runs a check that needs gradients on a thread of its own, because the caller's thread may be in inference
    /// mode.
    /// </summary>
    private static double OnItsOwnThread(Func<double> check)
    {
        var result = double.NaN;
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                result = check();
            }
            catch (Exception error)
            {
                failure = error;
            }
        });
        thread.Start();
        thread.Join();
        return failure is null ? result
            : throw new InvalidOperationException($"The self-check of the convolutions failed: {failure.Message}", failure);
    }

    private static bool OddShapesAreRight()
    {
        foreach (var (rows, inputs, outputs) in new[] { (1, 1, 1), (3, 5, 7), (17, 129, 33) })
        {
            using var scope = NewDisposeScope();
            var x = Numbers(rows, inputs);
            var weight = Numbers(outputs, inputs);
            if (Difference(OneDnnLinear.Multiply(x, weight),
                x.to(float64).mm(weight.to(float64).t())) > KernelSelfCheck.Tolerance) return false;
        }
        return true;
    }

    private static IEnumerable<Trial> Products()
    {
        foreach (var trial in ProductsOfFewRows()) yield return trial;
        foreach (var (operation, packedOperation, rows, inputs, outputs) in new[] { (KernelTable.SomeRows, null, 64, 512, 256),
            (KernelTable.ManyRows, KernelTable.PackedManyRows, 256, 384, 512) })
        {
            var x = Numbers(rows, inputs);
            var weight = Numbers(outputs, inputs);
            var packed = packedOperation is null ? null : OneDnnLinear.Pack(weight);
            Tensor Exact() => x.to(float64).mm(weight.to(float64).t());
            yield return new Trial(operation, KernelTable.OneDnn, () => nn.functional.linear(x, weight),
                () => OneDnnLinear.Multiply(x, weight), Exact, KernelSelfCheck.Tolerance);
            if (packed is not null)
                yield return new Trial(packedOperation!, KernelTable.OneDnn, () => nn.functional.linear(x, weight),
                    () => OneDnnLinear.MultiplyPacked(x, packed, null), Exact, KernelSelfCheck.Tolerance);
            if (operation != KernelTable.ManyRows) continue;
            var gradient = Numbers(rows, outputs);
            yield return new Trial(KernelTable.InputGradient, KernelTable.OneDnn, () => gradient.mm(weight),
                () => OneDnnLinear.Multiply(gradient, weight.t()),
                () => gradient.to(float64).mm(weight.to(float64)), KernelSelfCheck.Tolerance);
            yield return new Trial(KernelTable.WeightGradient, KernelTable.OneDnn, () => gradient.t().mm(x),
                () => OneDnnLinear.Multiply(x.t(), gradient.t()).t(),
                () => gradient.to(float64).t().mm(x.to(float64)), KernelSelfCheck.Tolerance);
        }
    }

    /// <summary>
    /// Trials of products with few rows, whose time is mostly spent on reading the weights from memory. Each call
    /// uses another copy of the weights, so that they do not come from a cache (of up to about 30 MB).
    /// </summary>
    private static IEnumerable<Trial> ProductsOfFewRows()
    {
        const int inputs = 768, outputs = 1024, copies = 12;   // 38 MB in total
        var weight = Numbers(outputs, inputs);
        var plain = Enumerable.Range(0, copies).Select(_ => weight.clone()).ToArray();
        var packed = OneDnnLinear.Pack(weight) is { } one
            ? Enumerable.Range(0, copies).Select(_ => OneDnnLinear.Pack(weight)!).Append(one).ToArray() : [];
        var turn = 0;
        Tensor Next(Tensor[] weights) => weights[turn++ % weights.Length];
        foreach (var (operation, packedOperation, rows) in new[] { (KernelTable.OneRow, KernelTable.PackedOneRow, 1),
            (KernelTable.FewRows, KernelTable.PackedFewRows, 4) })
        {
            var x = Numbers(rows, inputs);
            Tensor Exact() => x.to(float64).mm(weight.to(float64).t());
            Tensor Mkl() => nn.functional.linear(x, Next(plain));
            yield return new Trial(operation, KernelTable.OneDnn, Mkl, () => OneDnnLinear.Multiply(x, Next(plain)), Exact,
                KernelSelfCheck.Tolerance);
            if (packed.Length > 0) yield return new Trial(packedOperation, KernelTable.OneDnn, Mkl,
                () => OneDnnLinear.MultiplyPacked(x, Next(packed), null), Exact, KernelSelfCheck.Tolerance);
        }
    }

    /// <summary>
    /// Trials of libtorch's bfloat16 kernels against float32 products of inputs rounded to bfloat16. Both differ
    /// from the exact sum by bfloat16's rounding.
    /// </summary>
    private static IEnumerable<Trial> BFloat16(KernelTable table)
    {
        const double rounding = 2e-2;
        var x = Numbers(64, 256);
        var weight = Numbers(256, 256);
        var short1 = x.to(bfloat16);
        var short2 = weight.to(bfloat16);
        yield return new Trial(KernelTable.BFloat16Product, KernelTable.Float32, () => nn.functional.linear(short1, short2),
            () => nn.functional.linear(short1.to(float32), short2.to(float32)).to(bfloat16),
                () => x.to(float64).mm(weight.to(float64).t()), rounding);
        if (table[KernelTable.Convolution] != KernelTable.OneDnn) yield break;
        var image = Numbers(1, 16, 16, 16);
        var window = Numbers(16, 16, 3, 3);
        var shortImage = image.to(bfloat16);
        var shortWindow = window.to(bfloat16);
        Tensor Of(Tensor x, Tensor weight) => nn.functional.conv2d(x, weight, null, padding: [1, 1]);
        yield return new Trial(KernelTable.BFloat16Convolution, KernelTable.Float32, () => Of(shortImage, shortWindow),
            () => Of(shortImage.to(float32), shortWindow.to(float32)).to(bfloat16),
                () => Of(image.to(float64), window.to(float64)), rounding);
    }

    private static KernelChoice Better(Trial trial, ref bool complete)
    {
        using var scope = NewDisposeScope();
        var exact = trial.Exact();
        var errorOfDefault = Difference(trial.Default(), exact);
        var error = Difference(trial.Other(), exact);   // these first calls also warm up both kernels
        var times = SteadyTime.Of(trial.Default, trial.Other);
        complete &= times is not null;
        var gain = times is null ? double.NaN : times[0] / times[1];
        var better = error <= trial.Tolerance && (gain >= trial.LeastGain || errorOfDefault > trial.Tolerance);
        return new KernelChoice(trial.Operation, better ? trial.Alternative : KernelTable.Known[trial.Operation][0], gain,
            better ? error : errorOfDefault);
    }

    /// <summary>
    /// Computes the largest difference relative to the largest value; infinite if there is a NaN.
    /// </summary>
    private static double Difference(Tensor value, Tensor exact)
    {
        using var scope = NewDisposeScope();
        var difference = ((value.detach().to(float64) - exact.detach()).abs().max() / exact.detach().abs().max()).item<double>();
        return double.IsNaN(difference) ? double.PositiveInfinity : difference;
    }

    /// <summary>Returns deterministic values from −1 to 1, without using the random generator.</summary>
    public static Tensor Numbers(params long[] shape) =>
        arange(shape.Aggregate((a, b) => a * b), ScalarType.Float32, CPU).add_(1).mul_(0.7310585f).sin_().reshape(shape);
}
