using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>
/// Calls libtorch's own LSTM and GRU on whole sequences, also on packed ones of unequal lengths.
/// </summary>
/// <remarks>
/// Called through TorchScript with a constant source. TorchSharp's modules are not used because they keep a
/// second list of their weights, which stays behind when the module moves to another device.
/// </remarks>
internal static class RecurrentKernel
{
    private static readonly TorchScript Script = new("RecurrentKernel.py");

    public static (Tensor Output, Tensor Hidden, Tensor Cell) Lstm(
        Tensor x, Tensor? lengths, Tensor hidden, Tensor cell, Tensor[] weights, RecurrentShape shape, double dropout) =>
        ((Tensor, Tensor, Tensor))(lengths is null
            ? Script.Call("lstm", x, hidden, cell, weights, shape.HasBias, (long)shape.Layers, dropout, dropout > 0,
                shape.Bidirectional, !shape.TimeMajor)
            : Script.Call("packed_lstm", x, lengths, hidden, cell, weights, shape.HasBias, (long)shape.Layers, dropout,
                dropout > 0, shape.Bidirectional,
                !shape.TimeMajor, x.shape[shape.TimeMajor ? 0 : 1]));

    public static (Tensor Output, Tensor Hidden) Gru(
        Tensor x, Tensor? lengths, Tensor hidden, Tensor[] weights, RecurrentShape shape, double dropout) =>
        ((Tensor, Tensor))(lengths is null
            ? Script.Call("gru", x, hidden, weights, shape.HasBias, (long)shape.Layers, dropout, dropout > 0,
                shape.Bidirectional, !shape.TimeMajor)
            : Script.Call("packed_gru", x, lengths, hidden, weights, shape.HasBias, (long)shape.Layers, dropout,
                dropout > 0, shape.Bidirectional,
                !shape.TimeMajor, x.shape[shape.TimeMajor ? 0 : 1]));
}
