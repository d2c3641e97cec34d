using static TorchSharp.torch;

namespace ResearchKit.Tests.Golden;

/// <summary>The rule gives the check values that came with the cases.</summary>
public sealed class WeightRuleTests
{
    [Theory]
    [InlineData("conv1.weight", new long[] { 64, 3, 7, 7 }, 0, 0xBDCEC494, 0.532306075, 0.107542068)]
    [InlineData("conv1.weight", new long[] { 64, 3, 7, 7 }, 1, 0xBDCEC494, 0.843035936, 0.170318976)]
    [InlineData("conv1.weight", new long[] { 64, 3, 7, 7 }, 2, 0xBDCEC494, -0.700622678, -0.141547158)]
    [InlineData("conv1.weight", new long[] { 64, 3, 7, 7 }, 9407, 0xBDCEC494, -0.566896915, -0.114530474)]
    [InlineData("bn1.running_var", new long[] { 64 }, 0, 0x080A58BF, -0.033527732, 0.983236134)]
    [InlineData("bn1.running_var", new long[] { 64 }, 1, 0x080A58BF, -0.919215083, 0.540392458)]
    [InlineData("bn1.running_mean", new long[] { 64 }, 0, 0x8E1C676F, 0.282503963, 0.0706259906)]
    [InlineData("bn1.running_mean", new long[] { 64 }, 1, 0x8E1C676F, 0.211314321, 0.0528285801)]
    [InlineData("bn1.weight", new long[] { 64 }, 0, 0xC27850B2, -0.414650083, 0.896337509)]
    [InlineData("bn1.weight", new long[] { 64 }, 1, 0xC27850B2, -0.652539849, 0.836865067)]
    [InlineData("bn1.bias", new long[] { 64 }, 0, 0xB46E13EF, -0.013488770, -0.00168609619)]
    [InlineData("bn1.bias", new long[] { 64 }, 1, 0xB46E13EF, 0.723008633, 0.0903760791)]
    [InlineData("fc.weight", new long[] { 10, 512 }, 0, 0x4A6F9120, 0.193293691, 0.0209246557)]
    [InlineData("fc.weight", new long[] { 10, 512 }, 5119, 0x4A6F9120, 0.531811357, 0.0575702675)]
    public void A_value_is_determined_by_name_shape_and_index(string name, long[] shape, int place, uint hash, double sample,
        double value)
    {
        using var scope = NewDisposeScope();
        Assert.Equal(hash, WeightRule.Hash(name));
        Assert.Equal(sample, WeightRule.Sample(hash, (uint)place), tolerance: 1e-9);
        Assert.Equal(value, WeightRule.Values(name, shape).view(-1)[place].item<float>(), 1e-9);
    }
}
