using ResearchKit.Checkpoints;
using ResearchKit.Layers;
using ResearchKit.Models;
using ResearchKit.Tests.Golden;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Layers;

/// <summary>LSTM and GRU with <see cref="RecurrentShape.HasBias"/> off.</summary>
public sealed class RecurrentBiasTests : IDisposable
{
    private static readonly RecurrentShape Shape =
        new() { InputWidth = 3, HiddenWidth = 4, Layers = 2, Bidirectional = true, HasBias = false };
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_keys_equal_those_of_the_reference_without_biases(bool lstm)
    {
        using var layer = Make(lstm, Shape);
        Assert.Equal(["weight_ih_l0", "weight_hh_l0", "weight_ih_l0_reverse", "weight_hh_l0_reverse",
            "weight_ih_l1", "weight_hh_l1", "weight_ih_l1_reverse", "weight_hh_l1_reverse"], layer.state_dict().Keys);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Packed_sequences_equal_a_loop_in_float64(bool lstm)
    {
        using var layer = Make(lstm, Shape);
        long[] lengths = [4, 6, 1];
        var x = randn(3, 6, 3);
        var read = layer.Read(x, tensor(lengths));
        for (var row = 0; row < lengths.Length; row++)
        {
            var expected = Loop(layer, lstm, x[row, ..(int)lengths[row]].to(float64));
            Near.Check($"row {row}", expected, read.Output[row, ..(int)lengths[row]], 1e-6);
        }
        Near.Check("whole", layer.call(x)[1], read.Output[1], 1e-6);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_output_equals_that_of_a_layer_with_zero_biases(bool lstm)
    {
        using var layer = Make(lstm, Shape with { TimeMajor = true });
        using var other = Make(lstm, Shape with { TimeMajor = true, HasBias = true });
        using (no_grad())
            foreach (var (name, parameter) in other.named_parameters())
                if (layer.state_dict().TryGetValue(name, out var same)) parameter.copy_(same);
                else parameter.zero_();
        var x = randn(5, 2, 3);
        Near.Check("output", other.call(x), layer.call(x), 1e-6);
        layer.call(x).square().sum().backward();
        Assert.All(layer.parameters(), parameter => Assert.True(parameter.grad!.abs().sum().item<float>() > 0));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_checkpoint_without_biases_survives_a_round_trip(bool lstm)
    {
        var folder = Directory.CreateTempSubdirectory("recurrent-");
        try
        {
            using var layer = Make(lstm, Shape);
            if (layer is Lstm first) first.SavePretrained(folder.FullName);
            else ((Gru)layer).SavePretrained(folder.FullName);
            Assert.Contains("\"bias\": false", File.ReadAllText(Path.Combine(folder.FullName, "config.json")),
                StringComparison.Ordinal);
            using RecurrentLayer again = lstm
                ? Lstm.FromPretrained(folder.FullName, mapped: false) : Gru.FromPretrained(folder.FullName, mapped: false);
            Assert.Equal(layer.Shape, again.Shape);
            var x = randn(2, 5, 3);
            Near.Check("output", layer.call(x), again.call(x), 0);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void Models_pass_HasRecurrentBias_to_their_layers()
    {
        using var classifier = new RecurrentClassifier(RecurrentClassifierConfig.SpeechGru with { HasRecurrentBias = false });
        using var writer = new RecurrentLanguageModel(RecurrentLanguageModelConfig.CharacterLstm with
        {
            HasRecurrentBias =
            false
        });
        Assert.DoesNotContain(classifier.state_dict().Keys.Concat(writer.state_dict().Keys), key =>
            key.Contains("bias_", StringComparison.Ordinal));
        Assert.Equal([1L, 2], classifier.call(randn(1, 4, 40)).shape);
        Assert.Equal([1L, 4, 65], writer.call(zeros(1, 4, dtype: int64)).shape);
    }

    /// <summary>The equations of both layers and directions for one sequence [time, channels], step by step.</summary>
    private static Tensor Loop(RecurrentLayer layer, bool lstm, Tensor x)
    {
        for (var depth = 0; depth < 2; depth++)
        {
            var forward = Direction(layer, lstm, x, $"l{depth}");
            var backward = Direction(layer, lstm, x.flip(0), $"l{depth}_reverse").flip(0);
            x = cat([forward, backward], 1);
        }
        return x;
    }

    private static Tensor Direction(RecurrentLayer layer, bool lstm, Tensor x, string suffix)
    {
        var (fromInput, fromState) =
            (layer.get_parameter($"weight_ih_{suffix}")!.detach().to(float64),
            layer.get_parameter($"weight_hh_{suffix}")!.detach().to(float64));
        var (h, c) = (zeros(4, float64), zeros(4, float64));
        var states = new List<Tensor>();
        for (var time = 0; time < x.shape[0]; time++)
        {
            var (input, state) = (fromInput.mv(x[time]).chunk(lstm ? 4 : 3), fromState.mv(h).chunk(lstm ? 4 : 3));
            if (lstm)
            {
                c = ((input[1] + state[1]).sigmoid() * c) + ((input[0] + state[0]).sigmoid() * (input[2] + state[2]).tanh());
                h = (input[3] + state[3]).sigmoid() * c.tanh();
            }
            else
            {
                var (reset, update) = ((input[0] + state[0]).sigmoid(), (input[1] + state[1]).sigmoid());
                h = ((1 - update) * (input[2] + (reset * state[2])).tanh()) + (update * h);
            }
            states.Add(h);
        }
        return stack(states);
    }

    private static RecurrentLayer Make(bool lstm, RecurrentShape shape) => lstm ? new Lstm(shape) : new Gru(shape);
}
