using ResearchKit.Attribution;
using ResearchKit.Interpretability;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Tests.Attribution;

/// <summary>Attributions of several methods side by side, and maps that are made comparable.</summary>
public sealed class AttributionComparisonTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public AttributionComparisonTests() => ResearchKit.Native.Compute.Seed(7);

    public void Dispose() => scope.Dispose();

    [Fact]
    public void A_league_table_ends_with_its_floor()
    {
        var (model, input) = (AttributionLawTests.Network(), randn(4, 5));
        var table = LeagueTable.Of(model, input, Target.Logit(0), [new ShapleyValues(), new Saliency { TimesInput = true }],
            seeds: 3);
        Assert.Equal(["Shapley values", "input × gradient", "random, 3 seeds"], table.Rows.Select(row => row.Method));
        Assert.True(table.Rows[0].Correlation > table.Rows[2].Correlation);
        var (low, high) = table.FloorBands["Deletion"];
        Assert.InRange(table.Rows[2].Deletion, low, high);
        Assert.Equal(5, table.ToTable().Rows.Count);   // and the floor's lowest and highest
    }

    [Fact]
    public void A_class_activation_map_stands_beside_attributions_of_every_channel()
    {
        var (model, input) = (Sequential(("relu", ReLU()), ("flat", Flatten()), ("last", Linear(2 * 9, 2))), randn(2, 2, 3, 3));
        var table = LeagueTable.Of(model, input, Target.Logit(0),
            [new ClassActivationMap { At = "relu" }, new Saliency { TimesInput = true }], seeds: 1);
        Assert.All(table.Rows, row => Assert.True(double.IsFinite(row.Deletion) && double.IsFinite(row.Sparseness)));
    }

    [Fact]
    public void Attributions_of_zeros_have_no_sparseness() => Assert.Equal([0.0], Faithfulness.Sparseness(zeros(1, 4)));

    [Fact]
    public void Tokens_of_an_image_that_is_not_square_become_a_map_of_its_ratio()
    {
        using var patches = new Patches();
        var map = new ClassActivationMap { At = "tokens", Relu = false }.Attribute(patches, randn(2, 1, 6, 8), Target.Logit(0));
        Assert.Equal([2, 1, 3, 4], map.Values.shape);
        Assert.Throws<ArgumentException>(() =>
            new ClassActivationMap { At = "tokens" }.Attribute(patches, randn(2, 1, 6, 7), Target.Logit(0)));
    }

    /// <summary>Patches of 2 × 2 pixels as tokens, behind a class token of zeros.</summary>
    private sealed class Patches : Module<Tensor, Tensor>
    {
        private readonly Module<Tensor, Tensor> tokens = Identity();

        public Patches() : base(nameof(Patches)) => RegisterComponents();

        public override Tensor forward(Tensor input)
        {
            var patches = functional.unfold(input, (2, 2), (1, 1), (0, 0), (2, 2)).transpose(1, 2);   // [batch, patches, 4]
            return tokens.call(cat([zeros(input.shape[0], 1, 4), patches], 1)).mean([1]);
        }
    }
}
