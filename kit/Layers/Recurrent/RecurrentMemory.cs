using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>What a recurrent layer keeps for the backward pass, for <see cref="ActivationTape"/>.</summary>
/// <remarks>
/// oneDNN's LSTM keeps a work space with room for the gates and for ten states that are as wide as the wider of input and hidden
/// state, on rows that are padded. libtorch's GRU keeps what each of its operations does. Both were measured.
/// </remarks>
internal static class RecurrentMemory
{
    private const double GruUnits = 8.45, LstmRest = 4;

    /// <summary>Notes the layers of a recurrent network in order.</summary>
    /// <param name="shape">Its shape.</param>
    /// <param name="isLstm">Whether it is an LSTM.</param>
    /// <param name="x">[batch, time, channels], or time-major.</param>
    /// <param name="y">Its output.</param>
    /// <param name="dropout">Dropout probability between layers.</param>
    /// <param name="weights">Its parameters, layer by layer.</param>
    public static void Note(RecurrentShape shape, bool isLstm, Tensor x, Tensor y, double dropout, IReadOnlyList<Tensor> weights)
    {
        if (ActivationTape.Current is not { } tape) return;
        double steps = x.numel() / shape.InputWidth;
        var time = shape.TimeMajor ? x.shape[0] : x.shape[1];
        var each = weights.Count / shape.Layers;
        for (var layer = 0; layer < shape.Layers; layer++)
        {
            var inputs = layer == 0 ? shape.InputWidth : shape.Directions * shape.HiddenWidth;
            var own = steps * 4 * (isLstm ? Lstm(inputs, shape.HiddenWidth, time)
                : GruUnits * shape.HiddenWidth) * shape.Directions;
            var copies = steps * 4 * (layer == 0 ? inputs * shape.Directions : 0);   // the input, time-major
            var joined = steps * 4 * ((shape.Directions == 2 ? shape.HiddenWidth : 0)
                + (dropout > 0 && layer > 0 ? 2 * shape.Directions * shape.HiddenWidth : 0));
            var kept = (long)(own + copies + joined);
            tape.Note(y, y, [], kept, [.. weights.Skip(layer * each).Take(each)]);
            if (isLstm) tape.Passes((long)(own / shape.Directions));
        }
    }

    /// <summary>Numbers that oneDNN's work space and outputs have for each token.</summary>
    private static double Lstm(int inputs, int hidden, long time)
    {
        var rows = (time + 1.0) / time;
        return Padded(4 * hidden) + (10 * rows * Padded(Math.Max(inputs, hidden))) + (2 * rows * Padded(hidden))
            + (LstmRest * hidden);
    }

    /// <summary>Rows are multiples of 64 bytes, and no multiple of 1024.</summary>
    private static int Padded(int width)
    {
        var padded = (width + 15) / 16 * 16;
        return padded % 256 == 0 ? padded + 16 : padded;
    }
}
