using ResearchKit.Attribution;
using ResearchKit.Interpretability;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Formatting;

public sealed class AttributionFormattingTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Fact]
    public void A_table_has_a_row_for_each_example_and_an_image_has_a_map()
    {
        var table = new ShapleyValues().Attribute(x => x * 2, ones(3, 4), Target.Logit(1));
        Assert.Contains("example (3) × feature (4)", Shown.Document(table).ToString(), StringComparison.Ordinal);
        Assert.StartsWith("Shapley values of logit of 1", Shown.Text(table), StringComparison.Ordinal);
        var images = new Saliency().Attribute(x => x.flatten(1), ones(10, 3, 5, 6), Target.Logit(1));
        var page = Shown.Document(images).ToString();
        Assert.Equal(8, page.Split("5 × 6").Length - 1);
        Assert.Contains("2 more are not shown", page, StringComparison.Ordinal);
    }

    [Fact]
    public void The_evidence_is_red_where_the_attributions_do_not_sum_to_the_score()
    {
        var rough = new IntegratedGradients { Steps = 1, Quadrature = Quadrature.RiemannLeft };
        var broken = rough.Attribute(x => x.pow(3), ones(1, 2), Target.Logit(0));
        Assert.False(broken.Evidence.Holds);
        var kept = (rough with { Quadrature = Quadrature.GaussLegendre, Steps = 5 })
            .Attribute(x => x.pow(3), ones(1, 2), Target.Logit(0));
        Assert.True(kept.Evidence.Holds);
        Assert.Contains("the law is broken", Shown.Document(broken).ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("the law is broken", Shown.Document(kept).ToString(), StringComparison.Ordinal);
    }
}
