using ResearchKit.Native;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>Activation checkpointing: a block keeps its input alone, and computes what it forgot again in the backward pass.</summary>
/// <remarks>
/// Chen et al., 2016, https://arxiv.org/abs/1604.06174. Memory of a block's inside for a second forward pass. Gradients are the same
/// bits: dropout draws the same numbers again, and mixed precision is as it was.
/// </remarks>
public static class Recompute
{
    /// <summary>What the block gives, with its inside forgotten.</summary>
    /// <param name="block">Such as one layer of a transformer; must not change anything but its gradients.</param>
    /// <param name="x">[...], what it gets.</param>
    /// <returns>[...], as <c>block.call(x)</c>. Where nothing asks for a gradient of <paramref name="x"/>, it is just that.</returns>
    public static Tensor Call(Module<Tensor, Tensor> block, Tensor x) =>
        x.requires_grad && is_grad_enabled() ? Function.apply(x, block) : block.call(x);

    private sealed class Function : autograd.SingleTensorFunction<Function>
    {
        private const string Block = "block", Mixed = "mixed";

        public override string Name => nameof(Recompute);

        public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
        {
            var (x, block) = ((Tensor)vars[0], (Module<Tensor, Tensor>)vars[1]);
            ctx.save_data(Block, block);
            ctx.save_data(Mixed, Autocast.Current(x.device.type)!);
            var random = get_rng_state();   // saved once this returns: the scope around it frees it
            ctx.save_for_backward([x, random]);
            using var noGrad = no_grad();
            using var noCache = Autocast.WithoutCache();
            return block.call(x);
        }

        public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
        {
            using var scope = NewDisposeScope();
            var saved = ctx.get_saved_variables();
            var (x, block) = (saved[0].detach().requires_grad_(true), (Module<Tensor, Tensor>)ctx.get_data(Block));
            var now = get_rng_state();
            set_rng_state(saved[1]);
            try
            {
                using var grad = enable_grad();
                using var noCache = Autocast.WithoutCache();
                Tensor y;
                using (Autocast.Resume(ctx.get_data(Mixed))) y = block.call(x);
                y.backward([grad_output]);
            }
            finally
            {
                set_rng_state(now);
            }
            return [x.grad!.MoveToOuterDisposeScope(), null!];   // none for the block
        }
    }
}
