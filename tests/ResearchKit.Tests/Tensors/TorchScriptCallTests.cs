using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Tensors;

public sealed class TorchScriptCallTests
{
    /// <summary>
    /// Called directly, TorchSharp lets the numbers be freed: some of these calls then failed or gave other sums.
    /// </summary>
    [Fact]
    public async Task Scalars_stay_alive_during_a_call_despite_garbage_collection()
    {
        // many numbers, and so a long way to the call
        var names = Enumerable.Range(0, 60).Select(number => $"a{number}").ToList();
        using var script = jit.compile($"def total(x, {string.Join(", ", names.Select(name => $"{name}: float"))}):\n    "
            + $"return x + {string.Join(" + ", names)}\n");
        await GarbageCollection.Meanwhile(() =>
        {
            using var zero = zeros(1, dtype: float64);
            for (var call = 0; call < 2_000; call++)
            {
                using var sum = (Tensor)script.Call("total", [zero, .. Enumerable.Repeat<object>(0.5 + call, 60)]);
                Assert.Equal(60 * (0.5 + call), sum.item<double>());
            }
        });
    }
}
