using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>What libtorch's autograd keeps of each kind of operation, for <see cref="ActivationTape"/>.</summary>
internal static class ActivationRules
{
    /// <summary>
    /// A product with a weight [out, ...], such as a linear layer or a convolution: keeps its input and the weight.
    /// </summary>
    public static void Product(Tensor x, Tensor y, Tensor weight, Tensor? bias, long columns = 0)
    {
        if (ActivationTape.Current is not { } tape) return;
        tape.MarkHalf(y);
        if (!tape.IsHalf) tape.Note(x, y, columns == 0 && weight.requires_grad ? [x] : [], columns * 4, weight, bias);
        else tape.Note(x, y, [], tape.Copied(x, isWeight: false) + tape.Copied(weight, isWeight: true), weight, bias);
        if (y.requires_grad) tape.Passes(Math.Min(tape.Bytes(x), tape.Bytes(y)));   // the gradient of the other branch
    }

    /// <summary>Fused attention keeps its three inputs and a number a query; with dropout also three times the pattern.</summary>
    public static void Attention(Tensor query, Tensor key, Tensor value, Tensor y, Tensor? bias, double dropout)
    {
        if (ActivationTape.Current is not { } tape) return;
        tape.MarkHalf(y);
        var width = tape.IsHalf && !tape.IsEmulated ? 2 : 4;
        var rows = query.numel() / query.shape[3];
        var inputs = (query.numel() + key.numel() + value.numel()) * width;
        var pattern = dropout > 0 ? 3 * rows * key.shape[2] * width : 0;
        var own = dropout == 0 ? (rows * 4) + (tape.IsEmulated ? y.numel() * 4 : 0) : 0;
        tape.Note(query, y, [], inputs + pattern + own + (bias is null ? 0 : bias.numel() * width));
    }

    /// <summary>An activation function keeps its input, or its output where the derivative follows from it.</summary>
    public static void Unary(Tensor x, Tensor y, bool keepsOutput, long copies = 0)
    {
        if (ActivationTape.Current is not { } tape) return;
        tape.SameType(x, y);
        tape.Note(x, y, [keepsOutput ? y : x], copies * tape.Bytes(x));
    }

    /// <summary>A layer of TorchSharp; others than those named here are taken to keep their input.</summary>
    public static void Layer(nn.Module layer, Tensor x, Tensor y)
    {
        if (ActivationTape.Current is not { } tape) return;
        switch (layer)
        {
            case Linear linear: Product(x, y, linear.weight!, linear.bias); break;
            case Conv1d convolution: Product(x, y, convolution.weight, convolution.bias); break;
            case Conv2d convolution: Product(x, y, convolution.weight, convolution.bias); break;
            case LayerNorm norm:
                Norm(norm, x, y, x.numel() / norm.normalized_shape.Aggregate(1L, (all, size) =>
                all * size)); break;
            case BatchNorm2d norm: Norm(norm, x, y, x.shape[1]); break;
            case GroupNorm norm: Norm(norm, x, y, x.shape[0] * norm.num_groups); break;
            case Dropout dropout: Dropped(x, y, dropout.training ? dropout.p : 0); break;
            case MaxPool2d: tape.Note(x, y, [x], y.numel() * 8); break;
            case AdaptiveAvgPool2d or Flatten or Identity: tape.Note(x, y, []); break;
            case ReLU or Tanh or Sigmoid: Unary(x, y, keepsOutput: true); break;
            default: tape.Note(x, y, [x], 0, [.. layer.parameters(recurse: false)]); break;
        }
    }

    /// <summary>Layer norm over the last axis.</summary>
    public static void LayerNorm(nn.Module norm, Tensor x, Tensor y)
    {
        if (ActivationTape.Current is not null) Norm(norm, x, y, x.numel() / x.shape[^1]);
    }

    /// <summary>A norm keeps its input and two numbers for each group that it normalises.</summary>
    private static void Norm(nn.Module norm, Tensor x, Tensor y, long groups)
    {
        var tape = ActivationTape.Current!;
        tape.SameType(x, y);
        tape.Note(x, y, [x], groups * 8, [.. norm.parameters(recurse: false)]);
    }

    /// <summary>Dropout keeps a mask of the type of its input.</summary>
    public static void Dropped(Tensor x, Tensor y, double probability)
    {
        if (ActivationTape.Current is not { } tape) return;
        tape.SameType(x, y);
        if (probability > 0) tape.Note(x, y, [], tape.Bytes(x));
        else ActivationTape.Same(x, y);
    }

    /// <summary>Looking up rows of a table keeps only the indices, which the batch has; its gradient is a whole table.</summary>
    public static void Table(Tensor tokens, Tensor y, Tensor weight, bool masks)
    {
        if (ActivationTape.Current is { } tape) tape.Note(y, y, [], masks ? tokens.numel() : 0, weight);
    }
}
