using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>libtorch's own LSTM and GRU over whole sequences, also packed ones of unequal lengths.</summary>
/// <remarks>
/// Reached through TorchScript, whose source is fixed, because TorchSharp's modules keep a second list of their weights, which does not
/// follow them to another device.
/// </remarks>
internal static class RecurrentKernel
{
    private static readonly Lazy<jit.CompilationUnit> Script = new(() => jit.compile("""
        def lstm(x, h, c, weights: List[Tensor], biases: bool, layers: int, dropout: float, train: bool, both: bool, batch_first: bool):
            return torch.lstm(x, [h, c], weights, biases, layers, dropout, train, both, batch_first)

        def gru(x, h, weights: List[Tensor], biases: bool, layers: int, dropout: float, train: bool, both: bool, batch_first: bool):
            return torch.gru(x, h, weights, biases, layers, dropout, train, both, batch_first)

        def ordered(x, order, batch_first: bool):
            if batch_first:
                return x[order]
            return x[:, order]

        def packed_lstm(x, lengths, h, c, weights: List[Tensor], biases: bool, layers: int, dropout: float, train: bool, both: bool, batch_first: bool, time: int):
            falling, order = torch.sort(lengths, descending=True)
            back = torch.argsort(order).to(x.device)
            order = order.to(x.device)
            data, sizes = torch._pack_padded_sequence(ordered(x, order, batch_first), falling, batch_first)
            y, h_n, c_n = torch.lstm(data, sizes, [h[:, order], c[:, order]], weights, biases, layers, dropout, train, both)
            padded, _ = torch._pad_packed_sequence(y, sizes, batch_first, 0.0, time)
            return ordered(padded, back, batch_first), h_n[:, back], c_n[:, back]

        def packed_gru(x, lengths, h, weights: List[Tensor], biases: bool, layers: int, dropout: float, train: bool, both: bool, batch_first: bool, time: int):
            falling, order = torch.sort(lengths, descending=True)
            back = torch.argsort(order).to(x.device)
            order = order.to(x.device)
            data, sizes = torch._pack_padded_sequence(ordered(x, order, batch_first), falling, batch_first)
            y, h_n = torch.gru(data, sizes, h[:, order], weights, biases, layers, dropout, train, both)
            padded, _ = torch._pad_packed_sequence(y, sizes, batch_first, 0.0, time)
            return ordered(padded, back, batch_first), h_n[:, back]

        """));

    public static (Tensor Output, Tensor Hidden, Tensor Cell) Lstm(
        Tensor x, Tensor? lengths, Tensor hidden, Tensor cell, Tensor[] weights, RecurrentShape shape, double dropout) =>
        ((Tensor, Tensor, Tensor))(lengths is null
            ? Script.Value.Call("lstm", x, hidden, cell, weights, shape.HasBias, (long)shape.Layers, dropout, dropout > 0, shape.Bidirectional, !shape.TimeMajor)
            : Script.Value.Call("packed_lstm", x, lengths, hidden, cell, weights, shape.HasBias, (long)shape.Layers, dropout, dropout > 0, shape.Bidirectional,
                !shape.TimeMajor, x.shape[shape.TimeMajor ? 0 : 1]));

    public static (Tensor Output, Tensor Hidden) Gru(
        Tensor x, Tensor? lengths, Tensor hidden, Tensor[] weights, RecurrentShape shape, double dropout) =>
        ((Tensor, Tensor))(lengths is null
            ? Script.Value.Call("gru", x, hidden, weights, shape.HasBias, (long)shape.Layers, dropout, dropout > 0, shape.Bidirectional, !shape.TimeMajor)
            : Script.Value.Call("packed_gru", x, lengths, hidden, weights, shape.HasBias, (long)shape.Layers, dropout, dropout > 0, shape.Bidirectional,
                !shape.TimeMajor, x.shape[shape.TimeMajor ? 0 : 1]));
}
