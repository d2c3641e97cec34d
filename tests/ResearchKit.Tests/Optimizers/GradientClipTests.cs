using CsCheck;
using ResearchKit.Checkpoints;
using ResearchKit.Optimizers;
using ResearchKit.Tests.Golden;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Optimizers;

public sealed class GradientClipTests
{
    private static readonly string[] Names = ["w0", "w1", "w2"];

    [Theory]
    [InlineData("l2_1", 1, 2, 15.639511108398438)]
    [InlineData("l2_100", 100, 2, 15.639511108398438)]
    [InlineData("linf_0.5", 0.5, double.PositiveInfinity, 3.0595543384552)]
    [InlineData("l1_10", 10, 1, 179.14724731445312)]
    public void Clipping_by_norm_equals_the_reference(string name, double maximum, double order, double norm)
    {
        using var scope = NewDisposeScope();
        var parameters = Parameters();
        Assert.Equal(norm, GradientClip.ByNorm(parameters, maximum, order), norm * 1e-6);
        Check($"clip_norm_{name}", parameters);
    }

    [Fact]
    public void Clipping_by_value_equals_the_reference()
    {
        using var scope = NewDisposeScope();
        var parameters = Parameters();
        GradientClip.ByValue(parameters, 0.25);
        Check("clip_value_0.25", parameters);
    }

    [Fact]
    public void A_clipped_gradient_has_the_requested_norm_and_the_same_direction() =>
        Gen.Select(Gen.Double[0.01, 100], Gen.Double[1, 4]).Sample((maximum, order) =>
        {
            using var scope = NewDisposeScope();
            var parameters = Parameters();
            var before = parameters[0].grad!.clone();
            var norm = GradientClip.ByNorm(parameters, maximum, order);
            Assert.Equal(norm, GradientClip.ByNorm(Parameters(), double.PositiveInfinity, order), tolerance: 1e-9);
            Assert.Equal(Math.Min(norm, maximum), GradientClip.ByNorm(parameters, double.PositiveInfinity, order),
                maximum * 1e-4);
            Near.Check("direction", before * Math.Min(1, maximum / norm), parameters[0].grad!, 1e-5);
        }, iter: 20);

    [Fact]
    public void Without_gradients_nothing_is_clipped_and_invalid_settings_are_refused()
    {
        using var scope = NewDisposeScope();
        var idle = new Parameter(ones(2));
        Assert.Equal(0, GradientClip.ByNorm([idle], 1));
        GradientClip.ByValue([idle], 1);
        Assert.Throws<ArgumentException>(() => GradientClip.ByNorm([idle], 0));
        Assert.Throws<ArgumentException>(() => GradientClip.ByNorm([idle], 1, double.NaN));
        Assert.Throws<ArgumentException>(() => GradientClip.ByValue([idle], -1));
    }

    private static List<Parameter> Parameters()
    {
        var problem = Read("problem_A");
        return [.. Names.Select(name => new Parameter(problem[$"init/{name}"]) { grad = problem[$"grad/{name}"][0].clone() })];
    }

    private static void Check(string name, List<Parameter> parameters)
    {
        var golden = Read("clip");
        foreach (var (parameter, value) in Names.Zip(parameters))
            Near.Check($"{name} {parameter}", golden[$"{name}/{parameter}"], value.grad!, 2e-6);
    }

    private static Dictionary<string, Tensor> Read(string name) =>
        SafetensorsFile.Read(Repository.PathTo("tests", "ResearchKit.Tests", "Golden", "optim", $"{name}.safetensors"));
}
