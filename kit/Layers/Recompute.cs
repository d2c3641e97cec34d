using ResearchKit.Native;
using ResearchKit.Tensors;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>
/// Activation checkpointing: a block stores only its inputs, and its intermediate activations are recomputed in
/// the backward pass.
/// </summary>
/// <remarks>
/// Chen et al., 2016, https://arxiv.org/abs/1604.06174. It saves the memory of the intermediate activations and
/// costs a second forward pass. The gradients are the same bits: dropout draws the same numbers again, and
/// autocast is as in the first pass. TorchSharp cannot read the state of a GPU's random generator. On a GPU
/// each block is therefore seeded with the same number, drawn from the CPU's generator, before each of the two
/// passes.
/// </remarks>
public static class Recompute
{
    /// <summary>Runs the block without keeping its intermediate activations.</summary>
    /// <param name="block">The block, such as one layer of a transformer. It must have no side effects other than
    /// on gradients.</param>
    /// <param name="x">[...], input of the block.</param>
    /// <returns>[...], as <c>block.call(x)</c>. If no gradient of <paramref name="x"/> is needed, the block is
    /// simply called.</returns>
    public static Tensor Call(Module<Tensor, Tensor> block, Tensor x) => Call(inputs => block.call(inputs[0]!), x);

    /// <summary>Runs a block with several inputs without keeping its intermediate activations.</summary>
    /// <param name="block">The block. It must read its argument, which has the tensors in the order of
    /// <paramref name="inputs"/>, and must not capture the inputs themselves. It must have no side effects other
    /// than on gradients.</param>
    /// <param name="inputs">All tensors that the block reads except its own weights, such as a residual stream and
    /// a mask; null for an absent one.</param>
    /// <returns>[...], as <c>block(inputs)</c>. If no gradient of an input is needed, the block is simply
    /// called.</returns>
    public static Tensor Call(Func<IReadOnlyList<Tensor?>, Tensor> block, params Tensor?[] inputs) =>
        is_grad_enabled() && inputs.Any(input => input?.requires_grad ?? false) ? Counted(block, inputs) : block(inputs);

    private static Tensor Counted(Func<IReadOnlyList<Tensor?>, Tensor> block, Tensor?[] inputs)
    {
        var before = FlopTally.Counts;
        using var inside = ActivationTape.Block(inputs);
        var y = Function.apply([block, .. inputs]);
        FlopTally.Repeats(before);
        return y;
    }

    private sealed class Function : autograd.SingleTensorFunction<Function>
    {
        [ThreadStatic]
        private static List<Tensor>? taken;   // gradients of the previous call

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
            var random = get_rng_state();   // saved when this method returns; the caller's dispose scope frees it
            ctx.save_for_backward([random, .. inputs]);
            using var scope = NewDisposeScope();
            Plant(seed);
            using var grad = enable_grad();   // libtorch chooses kernels by it; the graph is freed with the scope
            using var noCache = Autocast.WithoutCache();
            return block(Leaves(inputs)).detach().MoveToOuterDisposeScope();
        }

        public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
        {
            using var scope = NewDisposeScope();
            using var gradient = grad_output;   // its handle would otherwise not be freed before the step ends
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
                y.backward([gradient]);
            }
            finally
            {
                set_rng_state(now);
            }
            foreach (var one in taken ?? []) one?.Dispose();   // libtorch holds those of the previous block itself by now
            // no gradient for the block itself
            return taken = [null!, .. inputs.Select(input => input?.grad?.MoveToOuterDisposeScope()!)];
        }

        private static void Plant(long? seed)
        {
            if (seed is { } number) cuda.manual_seed(number);
        }

        private static List<Tensor?> Leaves(IEnumerable<Tensor?> inputs) => [.. inputs.Select(Leaf)];

        private static Tensor? Leaf(Tensor? input)
        {
            if (input is null) return null;
            var leaf = input.detach().requires_grad_(input.requires_grad);
            ActivationTape.Same(input, leaf);
            return leaf;
        }
    }
}
