using ResearchKit.Checkpoints;
using ResearchKit.Layers;
using ResearchKit.Tests.Golden;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Layers;

public sealed class RecurrentLayerTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Theory]
    [InlineData("lstm-a")]
    [InlineData("lstm-b")]
    [InlineData("gru-a")]
    [InlineData("gru-b")]
    public void It_equals_the_reference(string name)
    {
        using var golden = new GoldenCase(name);
        var settings = golden.Settings();
        using var layer = Make(name[0] == 'l', new RecurrentShape
        {
            InputWidth = settings.GetProperty("input_size").GetInt32(),
            HiddenWidth = settings.GetProperty("hidden_size").GetInt32(),
            Layers = settings.GetProperty("num_layers").GetInt32(),
            Bidirectional = settings.GetProperty("bidirectional").GetBoolean(),
            TimeMajor = !settings.GetProperty("batch_first").GetBoolean(),
        });
        StateDict.Load(layer, golden.Weights(), name);

        var lengths = golden["in.lengths"];
        var state = golden.Has("in.h0")
            ? new RecurrentState(golden["in.h0"], golden.Has("in.c0") ? golden["in.c0"] : null) : null;
        var read = layer.Read(golden["in.x"], lengths, state);
        golden.Check("out.output", read.Output);
        golden.Check("out.h_n", read.State.Hidden);
        var loss = (read.Output.square().sum() / lengths.sum()) + read.State.Hidden.mean();
        if (read.State.Cell is { } cell)
        {
            golden.Check("out.c_n", cell);
            loss += 0.5 * cell.mean();
        }
        golden.Check("out.loss", loss);
        loss.backward();
        golden.CheckGradients(layer);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Padding_after_the_end_of_a_sequence_changes_nothing(bool lstm)
    {
        using var layer = Make(lstm, new() { InputWidth = 3, HiddenWidth = 4, Layers = 2, Bidirectional = true });
        var (x, lengths) = (randn(3, 6, 3), tensor(new long[] { 4, 6, 1 }));
        var edited = x.clone();
        edited[0, 4..] = full([2, 3], 100f);
        edited[2, 1..] = full([5, 3], float.NaN);
        var (before, after) = (layer.Read(x, lengths), layer.Read(edited, lengths));
        Near.Check("output", before.Output, after.Output, 1e-6);
        Near.Check("state", before.State.Hidden, after.State.Hidden, 1e-6);
        Near.Check("alone", layer.Read(x[..1, ..4]).Output, before.Output[..1, ..4], 1e-6);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Reading_in_two_parts_with_the_state_equals_reading_at_once(bool lstm)
    {
        using var layer = Make(lstm, new() { InputWidth = 3, HiddenWidth = 4, Layers = 2 });
        var x = randn(2, 7, 3);
        var first = layer.Read(x[.., ..3]);
        var second = layer.Read(x[.., 3..], state: first.State);
        var whole = layer.Read(x);
        Near.Check("output", whole.Output, cat([first.Output, second.Output], 1), 1e-6);
        Near.Check("state", whole.State.Hidden, second.State.Hidden, 1e-6);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_cell_equals_its_equations(bool lstm)
    {
        using var layer = Make(lstm, new() { InputWidth = 3, HiddenWidth = 2 });
        var weights = layer.state_dict().ToDictionary(pair => pair.Key, pair => pair.Value.data<float>().ToArray());
        var x = randn(1, 5, 3);
        var (h, c) = (new double[2], new double[2]);
        for (var time = 0; time < 5; time++)
        {
            var input = x[0, time].data<float>().ToArray().Select(value => (double)value).ToArray();
            (h, c) = lstm ? LstmStep(weights, input, h, c) : (GruStep(weights, input, h), c);
            Near.Check($"time {time}", tensor(h).to(float32), layer.call(x)[0, time], 1e-6);
        }
    }

    [Fact]
    public void Dropout_between_layers_is_active_only_in_training()
    {
        using var layer = Make(true, new() { InputWidth = 3, HiddenWidth = 8, Layers = 2, Dropout = 0.5 });
        var x = randn(2, 7, 3);
        Assert.False(allclose(layer.call(x), layer.call(x)));
        layer.eval();
        Near.Check("eval", layer.call(x), layer.call(x), 0);
    }

    [Fact]
    public void No_tensor_leaks()
    {
        using var layer = Make(true, new() { InputWidth = 3, HiddenWidth = 4, Bidirectional = true });
        var (x, lengths) = (randn(2, 5, 3), tensor(new long[] { 3, 5 }));
        layer.call(x).Dispose();
        Read();
        var before = LiveTensors.Count;
        layer.call(x).Dispose();
        Read();
        Assert.Equal(before, LiveTensors.Count);

        void Read()
        {
            using var inner = NewDisposeScope();
            _ = layer.Read(x, lengths);
        }
    }

    [Fact]
    public void Invalid_inputs_are_refused_with_expected_and_actual_sizes()
    {
        using var layer = Make(true, new() { InputWidth = 3, HiddenWidth = 4 });
        var x = randn(2, 5, 3);
        Assert.Contains("[batch, time, 3]", Refused(() => layer.call(randn(2, 5, 4))), StringComparison.Ordinal);
        Assert.Contains("[5, 3]", Refused(() => layer.call(randn(5, 3))), StringComparison.Ordinal);
        Assert.Contains("6; expected 1 to 5", Refused(() => layer.Read(x, tensor(new long[] { 6, 1 }))),
            StringComparison.Ordinal);
        Assert.Contains("0; expected 1 to 5", Refused(() => layer.Read(x, tensor(new long[] { 0, 1 }))),
            StringComparison.Ordinal);
        Assert.Contains("Int64 [2]", Refused(() => layer.Read(x, tensor(new long[] { 1 }))), StringComparison.Ordinal);
        Assert.Contains("[1, 2, 4]", Refused(() => layer.Read(x, state: new(zeros(1, 3, 4)))), StringComparison.Ordinal);
        Assert.Contains("HiddenWidth is 0", Refused(() => Make(true, new() { InputWidth = 3, HiddenWidth = 0 })),
            StringComparison.Ordinal);
    }

    private static string Refused(Action action) => Assert.Throws<ArgumentException>(action).Message;

    private static RecurrentLayer Make(bool lstm, RecurrentShape shape) => lstm ? new Lstm(shape) : new Gru(shape);

    private static (double[] H, double[] C) LstmStep(Dictionary<string, float[]> weights, double[] x, double[] h, double[] c)
    {
        double Gate(int gate, int unit) => Row(weights, "ih", x, (gate * 2) + unit) + Row(weights, "hh", h, (gate * 2) + unit);
        var next = Enumerable.Range(0, 2)
            .Select(unit => (Sigmoid(Gate(1, unit)) * c[unit]) + (Sigmoid(Gate(0, unit)) * Math.Tanh(Gate(2, unit)))).ToArray();
        return ([.. next.Select((cell, unit) => Sigmoid(Gate(3, unit)) * Math.Tanh(cell))], next);
    }

    private static double[] GruStep(Dictionary<string, float[]> weights, double[] x, double[] h)
    {
        double Gate(int gate, int unit) =>
            Sigmoid(Row(weights, "ih", x, (gate * 2) + unit) + Row(weights, "hh", h, (gate * 2) + unit));
        return [.. Enumerable.Range(0, 2).Select(unit =>
        {
            var candidate = Math.Tanh(Row(weights, "ih", x, 4 + unit) + (Gate(0, unit) * Row(weights, "hh", h, 4 + unit)));
            return ((1 - Gate(1, unit)) * candidate) + (Gate(1, unit) * h[unit]);
        })];
    }

    /// <summary>One row of W v + b.</summary>
    private static double Row(Dictionary<string, float[]> weights, string part, double[] v, int row) =>
        weights[$"bias_{part}_l0"][row]
            + v.Select((value, column) => weights[$"weight_{part}_l0"][(row * v.Length) + column] * value).Sum();

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));
}
