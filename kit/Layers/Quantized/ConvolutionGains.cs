using System.Globalization;
using System.Text;
using ResearchKit.Native;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>
/// How much faster integer products of unfolded images are on this machine than the float32 convolution of a packed model.
/// </summary>
/// <remarks>
/// Measured at the first call of a process, for windows of one number and of 3 × 3, and for small and large feature maps. A
/// portable run, a busy machine and one whose convolutions oneDNN gets wrong measure nothing and convolve in float32.
/// </remarks>
/// <param name="Gains">
/// The float32 convolution's time over that of the integer product, in the order of <see cref="Trials"/>; NaN: not measured.
/// </param>
internal sealed record ConvolutionGains(IReadOnlyList<double> Gains)
{
    private const int Small = 14, Large = 56, Between = Small * Large;   // between their areas on a logarithmic scale

    private static readonly (int Kernel, int Channels, int Length)[] Trials =
        [(1, 256, Small), (1, 64, Large), (3, 128, Small), (3, 32, Large)];

    private static readonly Dictionary<(CodeStorage, bool, int), ConvolutionGains> Measured = [];

    private static readonly CompositeFormat OfWindow = CompositeFormat.Parse("{0:0.0}x for {1} × {1} positions");

    /// <summary>The gains of a way to store codes.</summary>
    /// <param name="storage">How they are stored.</param>
    /// <param name="isEightBits">Whether inputs are rounded to 8 bits.</param>
    public static ConvolutionGains Of(CodeStorage storage, bool isEightBits)
    {
        lock (Measured)
        {
            var key = (storage, isEightBits, Compute.Threads);
            if (!Measured.TryGetValue(key, out var gains)) Measured[key] = gains = New(storage, isEightBits);
            return gains;
        }
    }

    /// <summary>Whether the integer product is faster.</summary>
    /// <param name="isOne">Whether the window has one number.</param>
    /// <param name="positions">Height × width of the result.</param>
    public bool Multiplies(bool isOne, long positions) => Gains[Place(isOne, positions < Between)] > 1;   // not where unknown

    /// <summary>In words, such as <c>kit 1.3x for 14 × 14 positions, …</c>.</summary>
    /// <param name="isOne">Whether the window has one number.</param>
    public string Described(bool isOne)
    {
        string Of(bool isSmall)
        {
            var gain = Gains[Place(isOne, isSmall)];
            var text = string.Format(CultureInfo.InvariantCulture, OfWindow, gain, isSmall ? Small : Large);
            return gain > 1 ? $"unfolded, {text}" : $"float32 convolution of the dequantized weight, since integers are {text}";
        }
        return Gains.Any(double.IsNaN) ? "float32 convolution of the dequantized weight, integers not measured"
            : $"{Of(true)}; {Of(false)}, of packed float32's speed";
    }

    private static int Place(bool isOne, bool isSmall) => (isOne ? 0 : 2) + (isSmall ? 0 : 1);

    private static ConvolutionGains New(CodeStorage storage, bool isEightBits)
    {
        if (PortableMode.IsOn || !OneDnnConvolution.IsUsed || EnvironmentSwitch.Value(Kernels.CheckVariable) == Kernels.Off)
            return new([.. Trials.Select(_ => double.NaN)]);
        return new([.. Trials.Select(trial => Gain(storage, isEightBits, trial))]);
    }

    private static double Gain(CodeStorage storage, bool isEightBits, (int Kernel, int Channels, int Length) trial)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var weight = KernelTrials.Numbers(trial.Channels, trial.Channels * trial.Kernel * trial.Kernel);
        var x = KernelTrials.Numbers(trial.Channels, trial.Length * trial.Length)
            .view(1, trial.Channels, trial.Length, trial.Length);
        var scheme = storage switch
        {
            CodeStorage.Bytes => QuantizationScheme.EightBits,
            CodeStorage.Table => QuantizationScheme.Nf4(32),
            _ => QuantizationScheme.FourBits(32),
        } with
        { Inputs = isEightBits ? QuantizedInputs.DynamicEightBits : QuantizedInputs.Unrounded };
        using var codes = QuantizedTensor.Round(weight, scheme);
        long[] size = [trial.Channels, trial.Channels, trial.Kernel, trial.Kernel];
        var padding = trial.Kernel / 2;
        var geometry = new ConvolutionGeometry([1, 1], [padding, padding], [1, 1], 1);
        using var integers = new QuantizedConvolution(codes, null, size, geometry) { TakesIntegers = true };
        using var packed = new PackedConvolution(weight.view(size), null, null, geometry, ScalarType.Float32);
        Func<Tensor>[] kernels = [() => packed.Convolve(x, null, false, true), () => integers.Convolve(x, null, false, true)];
        foreach (var kernel in kernels) kernel().Dispose();
        return SteadyTime.Of(kernels) is { } times ? times[0] / times[1] : double.NaN;
    }
}
