using ResearchKit.Layers;
using ResearchKit.Models;
using ResearchKit.Tensors;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Tests.Layers;

public sealed class FlopCounterTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Fact]
    public void The_FLOPs_of_a_GPT_equal_the_formula_for_its_matrices_and_attention()
    {
        var config = GptConfig.Nano;
        var model = new Gpt(config);
        const int Batch = 3, Time = 8;
        var tokens = zeros([Batch, Time], int64);
        double layers = config.Layers, width = config.ModelWidth;
        var weights = (12 * layers * width * width) + (width * config.VocabularySize);
        Assert.Equal(Batch * Time * ((2 * weights) + (4 * layers * Time * width)),
            FlopCounter.Of(model, () => model.call(tokens)));
    }

    [Fact]
    public void Hooked_patterns_and_grouped_key_heads_do_not_change_the_count()
    {
        var mask = AttentionMask.None;
        var (query, key, watched) = (randn(2, 4, 5, 8), randn(2, 2, 6, 8), new HookPoint());
        void Attend(HookPoint? pattern) => ScaledDotProductAttention.Attend(query, key, key, mask, pattern);
        var fused = FlopCounter.Of(watched, () => Attend(null));
        watched.register_forward_hook((_, _, output) => output);
        Assert.Equal(2 * (2 * 4 * 5 * 6 * 8) * 2, fused);
        Assert.Equal(fused, FlopCounter.Of(watched, () => Attend(watched)));
        var one = query.narrow(2, 0, 1);
        Assert.Equal(fused / 5, FlopCounter.Of(watched, () => ScaledDotProductAttention.Attend(one, key, key, mask)));
    }

    [Fact]
    public void Layers_of_TorchSharp_and_of_the_kit_have_the_same_count()
    {
        var (x, picture) = (randn(3, 5, 8), randn(2, 4, 9, 9));
        var (theirs, ours) = (Linear(8, 6), new Dense(8, 6));
        Assert.Equal(2.0 * 15 * 8 * 6, FlopCounter.Of(theirs, () => theirs.call(x)));
        Assert.Equal(2.0 * 15 * 8 * 6, FlopCounter.Of(ours, () => ours.call(x)));
        var (their, our) = (Conv2d(4, 6, 3, stride: 2, groups: 2), new Convolution2d(4, 6, 3, stride: 2, groups: 2));
        Assert.Equal(2.0 * 2 * 6 * 16 * 2 * 9, FlopCounter.Of(their, () => their.call(picture)));
        Assert.Equal(2.0 * 2 * 6 * 16 * 2 * 9, FlopCounter.Of(our, () => our.call(picture)));
        var (line, cube) = (Conv1d(4, 6, 3), Conv3d(1, 2, 2));
        Assert.Equal(2.0 * 6 * 7 * 4 * 3, FlopCounter.Of(line, () => line.call(randn(1, 4, 9))));
        Assert.Equal(2.0 * 2 * 8 * 8, FlopCounter.Of(cube, () => cube.call(randn([1, 1, 3, 3, 3]))));
    }

    [Fact]
    public void A_recurrent_layer_uses_each_weight_once_for_each_time_step()
    {
        var layer = new Lstm(new RecurrentShape { InputWidth = 3, HiddenWidth = 5, Layers = 2, Bidirectional = true });
        double weights = 2 * 4 * 5 * (3 + 5 + 10 + 5);
        var x = randn(2, 7, 3);
        Assert.Equal(2 * 14 * weights, FlopCounter.Of(layer, () => layer.call(x)));
        Assert.Equal(2 * 9 * weights, FlopCounter.Of(layer, () => layer.Read(x, tensor([7L, 2L]))));
    }

    [Fact]
    public void Nested_counts_add_up_and_nothing_is_counted_twice_or_outside()
    {
        var (a, b, model) = (randn(2, 3), randn(3, 4), Linear(3, 4));
        double inner = 0;
        var outer = FlopCounter.Of(model, () =>
        {
            a.MatMul(b);
            inner = FlopCounter.Of(model, () => model.call(a.MatMul(b.unsqueeze(0)).narrow(-1, 0, 3)));
        });
        Assert.Equal((96, 144), (inner, outer));
        Assert.Throws<InvalidOperationException>(() => FlopCounter.Of(model, () => throw new InvalidOperationException()));
        model.call(a);
        Assert.Equal(48, FlopCounter.Of(model, () => model.call(a)));   // the hooks of the counts before are gone
        Assert.Equal(0, FlopCounter.Of(model, () => a.relu()));
    }
}
