using CsCheck;
using ResearchKit.Compression;
using ResearchKit.Tests.Golden;
using TorchSharp;
using static ResearchKit.Tests.Compression.Refusal;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Compression;

public sealed class PruningTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Theory]
    [MemberData(nameof(CompressionGolden.Seeds), MemberType = typeof(CompressionGolden))]
    public void Masks_by_magnitude_equal_the_references(int seed)
    {
        using var golden = new CompressionGolden("pruning", seed);
        var scores = PruningScores.Magnitude(golden.Weight);
        foreach (var percent in new[] { 30, 50, 90 })
        {
            Same(golden[$"magnitude_{percent}/keep_mask_torch_l1_unstructured"].logical_not(),
                PruningMask.Share(scores, percent / 100.0));
            // the reference of Wanda prunes one weight more
            Same(golden[$"magnitude_{percent}/pruned_mask_threshold_le"],
                PruningMask.Smallest(scores, (long)(scores.numel() * (percent / 100.0)) + 1));
        }
        Same(golden["magnitude_2of4/pruned_mask"], PruningMask.OfGroups(scores, 2, 4));
        Same(golden["magnitude_1of4/pruned_mask"], PruningMask.OfGroups(scores, 1, 4));
    }

    [Theory]
    [MemberData(nameof(CompressionGolden.Seeds), MemberType = typeof(CompressionGolden))]
    public void Wanda_equals_the_reference(int seed)
    {
        using var golden = new CompressionGolden("pruning", seed);
        using var moments = golden.Moments();
        var scores = PruningScores.Wanda(golden.Weight, moments);
        foreach (var percent in new[] { 30, 50, 90 })
            Same(golden[$"wanda_{percent}/pruned_mask"], PruningMask.ShareOfRows(scores, percent / 100.0));
        Same(golden["wanda_2of4/pruned_mask"], PruningMask.OfGroups(scores, 2, 4));
    }

    [Theory]
    [MemberData(nameof(CompressionGolden.Seeds), MemberType = typeof(CompressionGolden))]
    public void SparseGpt_equals_the_reference(int seed)
    {
        using var golden = new CompressionGolden("pruning", seed);
        using var moments = golden.Moments();
        var method = new SparseGpt { Damping = golden.Damping };
        foreach (var name in golden.Names.Where(name => name.StartsWith("sparsegpt_", StringComparison.Ordinal))
            .Select(name => name.Split('/')[0][10..]).Distinct())
        {
            var made = name == "2of4" ? method.Prune(golden.Weight, 2, 4, moments)
                : name == "50_block32" ? (method with { BlockSize = 32 }).Prune(golden.Weight, 0.5, moments)
                : method.Prune(golden.Weight, int.Parse(name) / 100.0, moments);
            Same(golden[$"sparsegpt_{name}/pruned_mask"], made == 0);
            Near.Check(name, golden[$"sparsegpt_{name}/weight"], made, 1e-5);
        }
    }

    [Fact]
    public void Counts_are_exact_whatever_the_ties() =>
        Gen.Select(Gen.ULong, Gen.Int[1, 5], Gen.Double[0, 1]).Sample((seed, values, share) =>
        {
            using var inner = NewDisposeScope();
            var scores = randint(0, values, [7, 12], generator: new Generator(seed)).to(float32);
            Assert.Equal((long)Math.Round(share * 84, MidpointRounding.ToEven), Count(PruningMask.Share(scores, share)));
            Assert.All(PruningMask.ShareOfRows(scores, share).sum(dim: 1).data<long>(), count =>
                Assert.Equal((long)(share * 12), count));
            Assert.All(PruningMask.OfGroups(scores, 1, 3).view(-1, 3).sum(dim: 1).data<long>(), count => Assert.Equal(1, count));
            var all = PruningMask.Global(new Dictionary<string, Tensor> { ["a"] = scores, ["b"] = scores[..2] }, share);
            Assert.Equal((long)Math.Round(share * 108, MidpointRounding.ToEven), all.Values.Sum(Count));
        }, iter: 40);

    [Fact]
    public void A_tie_goes_to_the_weight_that_comes_first()
    {
        var mask = PruningMask.Smallest(ones(2, 3), 2);
        Assert.Equal([true, true, false, false, false, false], mask.flatten().data<bool>().ToArray());
    }

    [Fact]
    public void Wanda_with_equal_inputs_is_the_magnitude_by_row()
    {
        var weight = randn([6, 20], generator: new Generator(1));
        using var moments = new InputMoments(20);
        moments.Add(full([3, 20], 2));
        Same(PruningMask.ShareOfRows(PruningScores.Magnitude(weight), 0.4),
            PruningMask.ShareOfRows(PruningScores.Wanda(weight, moments), 0.4));
    }

    [Fact]
    public void SparseGpt_with_inputs_that_do_not_correlate_only_masks()
    {
        var weight = randn([6, 32], generator: new Generator(1));
        using var moments = new InputMoments(32);
        moments.Add(eye(32));
        var made = new SparseGpt().Prune(weight, 2, 4, moments);
        var masked = weight.clone();
        PruningMask.Apply(masked, PruningMask.OfGroups(PruningScores.Magnitude(weight), 2, 4));
        Near.Check("masked", masked, made, 1e-6);
    }

    [Fact]
    public void Whole_blocks_are_pruned()
    {
        var weight = randn([32, 48], generator: new Generator(1));
        var mask = PruningMask.Blocks(PruningScores.Magnitude(weight), 0.5, 16);
        Assert.Equal(3 * 256, Count(mask));
        Assert.All(mask.view(2, 16, 3, 16).sum(dim: 3).sum(dim: 1).data<long>(), count => Assert.True(count is 0 or 256));
    }

    [Fact]
    public void Random_scores_repeat_with_their_seed_and_a_mask_sets_zeros()
    {
        var weight = randn([8, 8], generator: new Generator(1));
        Assert.True(PruningScores.Random(weight, 4).Equals(PruningScores.Random(weight, 4)));
        PruningMask.Apply(weight, PruningMask.Share(PruningScores.Random(weight, 4), 0.25));
        Assert.Equal(0.25, PruningMask.Zeros(weight));
    }

    [Fact]
    public void Bad_input_is_refused_in_one_sentence_and_the_weight_stays()
    {
        var weight = randn([4, 6]);
        var before = weight.clone();
        Refuses(() => PruningMask.Share(weight, 1.5), "1.5", "0 to 1");
        Refuses(() => PruningMask.OfGroups(weight, 2, 4), "6 weights", "4");
        Refuses(() => PruningMask.Blocks(weight, 0.5, 16), "4 × 6", "16");
        Refuses(() => PruningMask.Share(full([2], float.NaN), 0.5), "NaN");
        Refuses(() => PruningMask.Apply(weight, zeros([4, 5], dtype: @bool)), "[4, 5]", "[4, 6]");
        Assert.True(before.Equals(weight));
    }

    private static long Count(Tensor mask) => mask.sum().item<long>();

    private static void Same(Tensor expected, Tensor actual) =>
        Assert.True(expected.Equals(actual), $"{(expected != actual).sum().item<long>()} of {expected.numel()} differ");
}
