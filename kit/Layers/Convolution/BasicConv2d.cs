using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>Convolution without bias, batch norm and ReLU: the basic block of the Inception networks.</summary>
/// <remarks>The submodules have the names of the published networks: <c>conv</c> and <c>bn</c>.</remarks>
public sealed class BasicConv2d : Module<Tensor, Tensor>
{
    private readonly Convolution2d conv;
    private readonly BatchNorm2d bn;
    private readonly Relu relu = new();
    private readonly ConvolutionStep step;

    /// <param name="inputs">Input channels.</param>
    /// <param name="outputs">Output channels.</param>
    /// <param name="kernel">Kernel height and width.</param>
    /// <param name="stride">Stride, vertical and horizontal.</param>
    /// <param name="padding">Zero padding: rows above and below, columns left and right.</param>
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
    /// <returns>[batch, channels out, height, width]; height and width depend on kernel, padding and
    /// stride.</returns>
    public override Tensor forward(Tensor x) => x.Through(step);
}
