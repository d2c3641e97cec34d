using ResearchKit.Layers;
using ResearchKit.Tests.Golden;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Layers;

/// <summary>
/// Attention, multi-head attention and each positional encoding from their formulas, over plain arrays, and equal to the fast
/// ones.
/// </summary>
public sealed class ExplainedAttentionTests : IDisposable
{
    private const int Time = 5, Width = 6;
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Attention_is_the_softmax_weighted_mean_of_the_values(bool causal)
    {
        var (query, key, value) = (Rows(randn(Time, Width)), Rows(randn(Time, Width)), Rows(randn(Time, Width)));
        Tensor Of(double[][] rows) => FromRows(rows).view(1, 1, Time, Width);
        var fast = ScaledDotProductAttention.Attend(Of(query), Of(key), Of(value),
            causal ? AttentionMask.CausalOnly : AttentionMask.None);
        Near.Check("softmax(Q Kᵀ / √d) V", Of(Attention(query, key, value, causal)), fast, 1e-5);
    }

    [Fact]
    public void Multi_head_attention_attends_within_slices_of_the_channels_and_mixes_them()
    {
        const int heads = 2;
        using var layer = new MultiHeadAttention(Width, heads);
        var state = layer.state_dict();
        nn.init.normal_(state["in_proj_bias"]);
        nn.init.normal_(state["out_proj.bias"]);
        var x = Rows(randn(Time, Width));
        double[][] Project(int part) =>
            [.. x.Select(row => Linear(state["in_proj_weight"], state["in_proj_bias"], row, part * Width, Width))];
        var (query, key, value) = (Project(0), Project(1), Project(2));
        var joined = Enumerable.Range(0, Time).Select(_ => new double[Width]).ToArray();
        for (var head = 0; head < heads; head++)
        {
            double[][] Part(double[][] rows) =>
                [.. rows.Select(row => row[(head * Width / heads)..((head + 1) * Width / heads)])];
            var mixed = Attention(Part(query), Part(key), Part(value), causal: false);
            for (var t = 0; t < Time; t++) mixed[t].CopyTo(joined[t], head * Width / heads);
        }
        var expected = joined.Select(row => Linear(state["out_proj.weight"], state["out_proj.bias"], row, 0, Width)).ToArray();
        Near.Check("heads", FromRows(expected), layer.call(FromRows(x).unsqueeze(0))[0], 1e-5);
    }

    [Fact]
    public void Sinusoidal_positions_are_sines_and_cosines_of_growing_wavelengths()
    {
        using var layer = new SinusoidalPositions(Time, Width);
        var expected = zeros(Time, Width);
        for (var position = 0; position < Time; position++)
            for (var channel = 0; channel < Width; channel++)
            {
                var angle = position / Math.Pow(10_000, channel / 2 * 2.0 / Width);
                expected[position, channel] = (float)(channel % 2 == 0 ? Math.Sin(angle) : Math.Cos(angle));
            }
        Near.Check("table", expected, layer.call(zeros(1, Time, Width))[0], 1e-6);
    }

    [Theory]
    [InlineData(Positions.Learned, "weight")]
    [InlineData(Positions.Random, "table")]
    public void Learned_and_random_positions_add_the_vector_of_the_position(Positions kind, string name)
    {
        using var layer = PositionalEncoding.Create(kind, 10, Width, heads: 2);
        var (table, x) = (Rows(layer.state_dict()[name]), Rows(randn(Time, Width)));
        var expected = x.Select((row, t) => row.Select((value, channel) => value + table[3 + t][channel]).ToArray()).ToArray();
        Near.Check("sum", FromRows(expected), layer.Embed(FromRows(x).unsqueeze(0), start: 3)[0], 1e-6);
    }

    [Fact]
    public void Rotary_positions_rotate_pairs_of_channels()
    {
        const int half = Width / 2, start = 4;
        using var layer = new RotaryPositions(Width);
        var x = Rows(randn(Time, Width));
        var expected = x.Select((row, t) =>
        {
            var turned = new double[Width];
            for (var pair = 0; pair < half; pair++)
            {
                var angle = (start + t) * Math.Pow(10_000, -2.0 * pair / Width);
                turned[pair] = (row[pair] * Math.Cos(angle)) - (row[pair + half] * Math.Sin(angle));
                turned[pair + half] = (row[pair + half] * Math.Cos(angle)) + (row[pair] * Math.Sin(angle));
            }
            return turned;
        }).ToArray();
        Near.Check("turned", FromRows(expected), layer.Rotate(FromRows(x).view(1, 1, Time, Width), start)[0, 0], 1e-5);
    }

    [Fact]
    public void Alibi_lowers_a_score_in_proportion_to_the_distance()
    {
        const int heads = 4;
        using var layer = new AlibiPositions(heads);
        var expected = zeros(heads, Time, Time);
        for (var head = 0; head < heads; head++)
            for (var query = 0; query < Time; query++)
                for (var key = 0; key < Time; key++)
                    expected[head, query, key] = (float)(Math.Pow(2, -8.0 * (head + 1) / heads) * -Math.Abs(query - key));
        // A causal mask hides what comes after; there the bias may be anything.
        var past = ones(Time, Time).tril();
        Near.Check("slope · distance", expected * past, layer.ScoreBias(ones(1), Time, Time)! * past, 1e-6);
    }

    /// <summary>For each query: Σ softmax(q · k / √d) v.</summary>
    private static double[][] Attention(double[][] query, double[][] key, double[][] value, bool causal) =>
        [.. query.Select((q, position) =>
        {
            var weights = key.Select((k, at) =>
                causal && at > position ? 0 : Math.Exp(q.Zip(k, (a, b) => a * b).Sum() / Math.Sqrt(q.Length))).ToArray();
            return Enumerable.Range(0, value[0].Length)
                .Select(channel => value.Select((v, at) => v[channel] * weights[at]).Sum() / weights.Sum()).ToArray();
        })];

    /// <summary>Some rows of W x + b.</summary>
    private static double[] Linear(Tensor weight, Tensor bias, double[] x, int first, int count)
    {
        var (w, b) = (Rows(weight), Rows(bias.unsqueeze(0))[0]);
        return [.. Enumerable.Range(first, count).Select(row => b[row] + w[row].Zip(x, (a, c) => a * c).Sum())];
    }

    private static double[][] Rows(Tensor matrix)
    {
        var values = matrix.detach().to(float64).contiguous().data<double>().ToArray();
        return [.. values.Chunk((int)matrix.shape[1])];
    }

    private static Tensor FromRows(double[][] rows) =>
        tensor(rows.SelectMany(row => row).ToArray()).view(rows.Length, rows[0].Length).to(float32);
}
