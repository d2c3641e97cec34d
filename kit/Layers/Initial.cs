using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>Layers as the published transformers start them: normally distributed weights, biases of zero.</summary>
internal static class Initial
{
    /// <summary>A linear layer.</summary>
    /// <param name="inputs">Channels that come in.</param>
    /// <param name="outputs">Channels that go out.</param>
    /// <param name="bias">Whether it adds a bias.</param>
    /// <param name="deviation">Standard deviation of the weight.</param>
    public static Linear Dense(int inputs, int outputs, bool bias = true, double deviation = 0.02)
    {
        var layer = Linear(inputs, outputs, bias);
        init.normal_(layer.weight, 0, deviation);
        if (bias) init.zeros_(layer.bias!);
        return layer;
    }

    /// <summary>A table of vectors.</summary>
    /// <param name="rows">Number of vectors.</param>
    /// <param name="width">Channels of each.</param>
    /// <param name="padding">The row of the padding token, which stays zero: looking it up gives it no gradient; null for none.</param>
    /// <param name="deviation">Standard deviation of each number.</param>
    public static Embedding Table(int rows, int width, int? padding = null, double deviation = 0.02)
    {
        var table = Embedding(rows, width, padding);
        init.normal_(table.weight!, 0, deviation);
        if (padding is not { } row) return table;
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        table.weight!.narrow(0, row, 1).zero_();
        return table;
    }
}
