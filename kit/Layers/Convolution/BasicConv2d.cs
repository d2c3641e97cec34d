using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>Convolution without bias, batch norm, ReLU: the brick of the Inception networks.</summary>
/// <remarks>Named as in the published networks: <c>conv</c> and <c>bn</c>.</remarks>
public sealed class BasicConv2d : Module<Tensor, Tensor>
{
    private readonly Convolution2d conv;
    private readonly BatchNorm2d bn;
    private readonly Relu relu = new();
    private readonly ConvolutionStep step;

    /// <param name="inputs">Channels that come in.</param>
    /// <param name="outputs">Channels that go out.</param>
    /// <param name="kernel">Height and width of the window.</param>
    /// <param name="stride">Steps between windows, down and across.</param>
    /// <param name="padding">Rows above and below, and columns left and right, of zeros.</param>
    public BasicConv2d(int inputs, int outputs, (int Height, int Width) kernel, int stride = 1,
        (int Height, int Width) padding = default)
        : base(nameof(BasicConv2d))
    {
        conv = new Convolution2d(inputs, outputs, kernel, stride, padding, hasBias: false);
        bn = BatchNorm2d(outputs, eps: 1e-3);
        step = new ConvolutionStep(conv, bn, relu);
        RegisterComponents();
    }

    /// <inheritdoc cref="BasicConv2d(int, int, ValueTuple{int, int}, int, ValueTuple{int, int})"/>
    public BasicConv2d(int inputs, int outputs, int kernel, int stride = 1, int padding = 0)
        : this(inputs, outputs, (kernel, kernel), stride, (padding, padding))
    {
    }

    /// <param name="x">[batch, channels in, height, width].</param>
    /// <returns>[batch, channels out, height, width], each less by what padding and stride leave out.</returns>
    public override Tensor forward(Tensor x) => x.Through(step);
}
