using ResearchKit.Native;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>
/// Activation checkpointing: a block keeps its input alone, and computes what it forgot again in the backward pass.
/// </summary>
/// <remarks>
/// Chen et al., 2016, https://arxiv.org/abs/1604.06174. Memory of a block's inside for a second forward pass. Gradients are the
/// same bits: dropout draws the same numbers again, and mixed precision is as it was. TorchSharp does not show where a GPU's
/// generator stands, so there each block is given a seed, drawn from the CPU's generator, and then the same again.
/// </remarks>
public static class Recompute
{
    /// <summary>What the block gives, with its inside forgotten.</summary>
    /// <param name="block">Such as one layer of a transformer; must not change anything but its gradients.</param>
    /// <param name="x">[...], what it gets.</param>
    /// <returns>
    /// [...], as <c>block.call(x)</c>. Where nothing asks for a gradient of <paramref name="x"/>, it is just that.
    /// </returns>
    public static Tensor Call(Module<Tensor, Tensor> block, Tensor x) => Call(inputs => block.call(inputs[0]!), x);

    /// <summary>What a block of several inputs gives, with its inside forgotten.</summary>
    /// <param name="block">
    /// From tensors in the places of <paramref name="inputs"/>, which it must read instead of these; must not change anything but
    /// gradients.
    /// </param>
    /// <param name="inputs">
    /// All that it reads but its own weights, such as a residual stream and a mask; null where there is none.
    /// </param>
    /// <returns>[...], as <c>block(inputs)</c>. Where nothing asks for a gradient of an input, it is just that.</returns>
    public static Tensor Call(Func<IReadOnlyList<Tensor?>, Tensor> block, params Tensor?[] inputs) =>
        is_grad_enabled() && inputs.Any(input => input?.requires_grad ?? false) ? Function.apply([block, .. inputs])
            : block(inputs);

    private sealed class Function : autograd.SingleTensorFunction<Function>
    {
        private const string Block = "block", Mixed = "mixed", Seed = "seed";

        public override string Name => nameof(Recompute);

        public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
        {
            var block = (Func<IReadOnlyList<Tensor?>, Tensor>)vars[0];
            var inputs = vars.Skip(1).Cast<Tensor?>().ToList();
            ctx.save_data(Block, block);
            var device = inputs.First(input => input is not null)!.device.type;
            ctx.save_data(Mixed, Autocast.Current(device)!);
            var seed = device == DeviceType.CUDA ? randint(int.MaxValue, [1], ScalarType.Int64).item<long>() : (long?)null;
            ctx.save_data(Seed, seed!);
            var random = get_rng_state();   // saved once this returns: the scope around it frees it
            ctx.save_for_backward([random, .. inputs]);
            using var scope = NewDisposeScope();
            Plant(seed);
            using var grad = enable_grad();   // libtorch chooses kernels by it; what it notes down goes with the scope
            using var noCache = Autocast.WithoutCache();
            return block(Leaves(inputs)).detach().MoveToOuterDisposeScope();
        }

        public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
        {
            using var scope = NewDisposeScope();
            var saved = ctx.get_saved_variables();
            var block = (Func<IReadOnlyList<Tensor?>, Tensor>)ctx.get_data(Block);
            var inputs = Leaves(saved.Skip(1));
            var now = get_rng_state();
            set_rng_state(saved[0]);
            try
            {
                using var grad = enable_grad();
                using var noCache = Autocast.WithoutCache();
                Plant((long?)ctx.get_data(Seed));
                Tensor y;
                using (Autocast.Resume(ctx.get_data(Mixed))) y = block(inputs);
                y.backward([grad_output]);
            }
            finally
            {
                set_rng_state(now);
            }
            return [null!, .. inputs.Select(input => input?.grad?.MoveToOuterDisposeScope()!)];   // none for the block
        }

        private static void Plant(long? seed)
        {
            if (seed is { } number) cuda.manual_seed(number);
        }

        private static List<Tensor?> Leaves(IEnumerable<Tensor?> inputs) =>
            [.. inputs.Select(input => input?.detach().requires_grad_(input.requires_grad))];
    }
}
