using ResearchKit.Interpretability;
using ResearchKit.Layers;
using ResearchKit.Models;
using ResearchKit.Tests.Golden;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Interpretability;

public sealed class EditingTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();
    private readonly Gpt model = new(GptConfig.Nano);
    private readonly Tensor tokens = randint(0, 65, [2, 6], int64);

    public EditingTests() => model.eval();

    public void Dispose()
    {
        model.Dispose();
        scope.Dispose();
    }

    [Fact]
    public void Replacing_every_activation_by_itself_changes_no_bit()
    {
        using var cache = model.Record(tokens);
        using var watching = ActivationCache.Record(model);
        using (model.Edit("*hook_*", Edit.Freeze(cache)))
            Assert.True(model.call(tokens).Equals(cache.Output!));
        using (model.Edit("*hook_*", Edit.Scale(1)))
            Assert.True(model.call(tokens).Equals(cache.Output!));
        using (model.Edit("*hook_*", Edit.Add(ones(1), 0)))
            Assert.True(model.call(tokens).Equals(cache.Output!));
    }

    [Fact]
    public void Only_the_chosen_part_changes()
    {
        using var clean = model.Record(tokens);
        var chosen = Edit.Zero with { Examples = [1], Heads = [2], Positions = [-2], Channels = [0, 3] };
        using (model.Edit("h.0.attn.hook_z", chosen))
        {
            using var edited = model.Record(tokens);
            var changed = edited["h.0.attn.hook_z"].ne(clean["h.0.attn.hook_z"]).nonzero();
            Assert.Equal([1L, 2, 4, 0, 1, 2, 4, 3], changed.data<long>().ToArray());
            Assert.Equal(0, edited["h.0.attn.hook_z"][1, 2, 4, 3].item<float>());
        }
        Assert.Equal("set to zero, examples 1, heads 2, positions -2, channels 0, 3", chosen.ToString());
    }

    [Fact]
    public void A_projected_direction_is_gone()
    {
        var direction = randn(32);
        using var edit = model.Edit("h.*.hook_resid_post", Edit.ProjectOut(direction));
        using var cache = model.Record(tokens);
        Assert.True(cache["h.1.hook_resid_post"].matmul(direction).abs().max().item<float>() < 1e-5);
    }

    [Fact]
    public void Ablations_take_the_mean_or_another_example()
    {
        using var others = model.Record(randint(0, 65, [3, 6], int64));
        using (model.Edit("h.0.hook_mlp_out", Edit.Mean(others)))
        {
            using var cache = model.Record(tokens);
            Near.Check("mean", others["h.0.hook_mlp_out"].mean([0, 1]).expand(2, 6, 32), cache["h.0.hook_mlp_out"], 1e-7);
        }
        using (model.Edit("h.0.hook_mlp_out", Edit.Resample(others, seed: 1)))
        {
            using var cache = model.Record(tokens);
            for (var row = 0; row < 2; row++)
                Assert.Contains(Enumerable.Range(0, 3),
                    other => others["h.0.hook_mlp_out"][other].Equals(cache["h.0.hook_mlp_out"][row]));
        }
    }

    [Fact]
    public void Edits_at_a_position_are_the_same_with_and_without_the_cache()
    {
        using var noGrad = no_grad();
        using var edit = model.Edit("h.0.hook_resid_post", Edit.Add(randn(32) * 3) with { Positions = [1, 4] });
        var plain = model.call(tokens);
        using var cache = new KeyValueCache(6);
        Near.Check("prompt", plain[.., 2], model.NextLogits(tokens[.., ..3], cache), 1e-5);
        for (var at = 3; at < 6; at++)
            Near.Check($"token {at}", plain[.., at], model.NextLogits(tokens.narrow(1, at, 1), cache), 1e-5);
    }

    [Fact]
    public void Steering_at_the_last_stream_shifts_the_logits_of_a_norm_free_model_by_the_unembedded_vector()
    {
        using var free = new Gpt(GptConfig.Nano with { Norms = false });
        free.eval();
        var vector = Steering.DifferenceOfMeans(randn(5, 32) + 1, randn(4, 32));
        var plain = free.call(tokens);
        using var edit = free.Edit("h.1.hook_resid_post", Edit.Add(vector, 2.5));
        var shift = 2.5 * vector.matmul(free.get_parameter("wte.weight")!.t());
        Near.Check("shift", shift.expand(2, 6, 65), free.call(tokens) - plain, 1e-5);
    }

    [Fact]
    public void The_principal_direction_of_pairs_is_the_one_they_differ_by()
    {
        var negative = randn(20, 8);
        var direction = nn.functional.normalize(randn(8), dim: 0);
        var found = Steering.PrincipalDirection(negative + (direction * (rand(20, 1) + 1)), negative);
        Near.Check("direction", direction, found, 1e-4);
    }

    [Fact]
    public void Generation_is_steered_and_strength_zero_changes_no_token()
    {
        var vector = model.get_parameter("wte.weight")![9].detach() * 1000;
        var options = SamplingOptions.Greedy with { MaximumTokens = 4 };
        long[] prompt = [1, 2, 3];
        var plain = model.Generate(prompt, options).Select(token => token.Id).ToList();
        using (model.Edit("h.1.hook_resid_post", Edit.Add(vector)))
            Assert.Equal([9L, 9, 9, 9], model.Generate(prompt, options).Select(token => token.Id));
        using (model.Edit("h.1.hook_resid_post", Edit.Add(vector, 0)))
            Assert.Equal(plain, model.Generate(prompt, options).Select(token => token.Id));
    }

    [Fact]
    public void Wrong_edits_are_refused_and_leave_the_model_as_it_was()
    {
        var before = model.call(tokens);
        Fails<ArgumentException>("[7]; the edited part of 'h.0.hook_mlp_out' is [2, 6, 32]", "h.0.hook_mlp_out",
            Edit.Add(ones(7)));
        Fails<ArgumentException>("position 6; 'h.0.hook_mlp_out' has 6", "h.0.hook_mlp_out", Edit.Zero with { Positions = [6] });
        Fails<ArgumentException>("without heads", "h.0.hook_mlp_out", Edit.Zero with { Heads = [0] });
        Fails<ArgumentException>("gives [2, 6]", "h.0.hook_mlp_out", Edit.Apply(x => x.sum(-1)));
        Fails<KeyNotFoundException>("h.0.hook_mlp_out", "h.0.hook_mlp_ou", Edit.Zero);
        Assert.Contains("NaN", Assert.Throws<ArgumentException>(() => Edit.Replace(tensor(float.NaN))).Message,
            StringComparison.Ordinal);
        Assert.Contains("all zero", Assert.Throws<ArgumentException>(() => Edit.ProjectOut(zeros(32))).Message,
            StringComparison.Ordinal);
        Assert.DoesNotContain(model.modules().OfType<HookPoint>(), point => point.IsWatched);
        Assert.True(model.call(tokens).Equals(before));
    }

    private void Fails<T>(string words, string place, Edit edit) where T : Exception
    {
        var message = Assert.Throws<T>(() =>
        {
            using var editing = model.Edit(place, edit);
            model.call(tokens);
        }).Message;
        Assert.Contains(words, message, StringComparison.Ordinal);
    }
}
