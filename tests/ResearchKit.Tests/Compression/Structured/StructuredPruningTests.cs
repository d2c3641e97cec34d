using ResearchKit.Compression;
using ResearchKit.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Compression;

public sealed class StructuredPruningTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    public static TheoryData<string> Names => [.. PruningCase.All.Select(one => one.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Random_choices_compute_what_the_masked_model_does(string name) => Check(name, choices: 3);

    [Theory]
    [Trait("Length", "long")]
    [MemberData(nameof(Names))]
    public void A_thousand_random_choices_compute_what_the_masked_models_do(string name) => Check(name, choices: 42);

    private static void Check(string name, int choices)
    {
        using var noGrad = no_grad();
        var one = PruningCase.All.Single(one => one.Name == name);
        random.manual_seed(12);
        var random_ = new Random(name.Length + choices);
        for (var number = 0; number < choices; number++)
        {
            using var each = NewDisposeScope();
            var dtype = number % 3 == 2 ? ScalarType.Float64 : ScalarType.Float32;
            using var model = one.Model(dtype);
            var channels = PruningCase.Choice(model, random_);
            using var smaller = StructuredPruning.Remove(model, channels);
            var expected = one.Masked(model, channels);
            var actual = one.Run(smaller);
            Assert.Equal(expected.shape, actual.shape);
            var difference = ((actual - expected).abs().max() / expected.abs().max()).to(ScalarType.Float64).item<double>();
            Assert.True(difference < (dtype == ScalarType.Float64 ? 1e-6 : 1e-5),
                $"{string.Join("; ", channels.Select(pair => $"{pair.Key}: {string.Join(", ", pair.Value)}"))}: off by {difference:g3}.");
        }
    }
}
