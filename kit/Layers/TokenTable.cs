using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>A vector for each token, looked up by its number.</summary>
/// <remarks>
/// Unlike TorchSharp's Embedding it is made on the default device at once: a large table on the meta device takes no memory and no
/// time.
/// </remarks>
internal sealed class TokenTable : Module<Tensor, Tensor>
{
    private readonly Parameter weight;   // [rows, channels]
    private readonly int? padding;

    /// <param name="rows">Number of vectors.</param>
    /// <param name="width">Channels of each.</param>
    /// <param name="padding">A row that starts at zero and gets no gradient from look-ups; null for none.</param>
    /// <param name="deviation">Standard deviation of each number at first.</param>
    public TokenTable(int rows, int width, int? padding = null, double deviation = 0.02) : base(nameof(TokenTable))
    {
        if (padding is < 0 || padding >= rows)
            throw new ArgumentException($"The padding token is {padding}; the table has {rows} rows.", nameof(padding));
        this.padding = padding;
        var start = init.normal_(empty(rows, width), 0, deviation);
        if (padding is { } row)
            using (var none = start.narrow(0, row, 1)) none.zero_();
        weight = Parameter(start);
        RegisterComponents();
    }

    /// <summary>The whole table, [rows, channels].</summary>
    public Tensor Weight => weight;

    /// <param name="tokens">int64, any shape.</param>
    /// <returns>That shape and an axis of channels.</returns>
    public override Tensor forward(Tensor tokens)
    {
        if (tokens.IsMeta()) return weight.index(tokens);
        using var scope = NewDisposeScope();
        var rows = weight.index_select(0, tokens.flatten()).view([.. tokens.shape, weight.shape[1]]);
        if (padding is { } token && rows.requires_grad) rows = where(tokens.ne(token).unsqueeze(-1), rows, rows.detach());
        return rows.MoveToOuterDisposeScope();
    }
}
