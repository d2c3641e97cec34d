using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>
/// One of the equal layers of a model. A model runs its blocks by <see cref="Blocks"/>: <c>x = block.call(x, pass)</c>.
/// </summary>
/// <typeparam name="TPass">What a block reads beside the residual stream.</typeparam>
internal interface IBlock<TPass> where TPass : IPass<TPass>
{
    /// <param name="x">Residual stream, [batch, time, channels].</param>
    /// <param name="pass">What it reads beside that.</param>
    /// <returns>[batch, time, channels].</returns>
    Tensor Step(Tensor x, TPass pass);
}

/// <summary>What all blocks read beside the residual stream in one forward pass, such as masks and positions.</summary>
internal interface IPass<TSelf> where TSelf : IPass<TSelf>
{
    /// <summary>Whether blocks keep their inputs alone and compute their inside again in the backward pass.</summary>
    bool Recomputes { get; }

    /// <summary>The tensors that it consists of; null where one is absent.</summary>
    IReadOnlyList<Tensor?> Tensors { get; }

    /// <summary>The same pass with other tensors, in the order of <see cref="Tensors"/>.</summary>
    TSelf With(IReadOnlyList<Tensor?> tensors);
}

/// <summary>Runs blocks, and recomputes those that ask for it; see <see cref="Recompute"/>.</summary>
internal static class Blocks
{
    /// <summary>Runs a block.</summary>
    /// <param name="block">The block.</param>
    /// <param name="x">Residual stream, [batch, time, channels].</param>
    /// <param name="pass">What it reads beside that.</param>
    /// <returns>[batch, time, channels].</returns>
    public static Tensor call<TPass>(this IBlock<TPass> block, Tensor x, TPass pass) where TPass : IPass<TPass> =>
        pass.Recomputes ? Recompute.Call(inputs => block.Step(inputs[0]!, pass.With([.. inputs.Skip(1)])), [x, .. pass.Tensors])
        : block.Step(x, pass);

    /// <summary>Runs a block that reads the residual stream alone.</summary>
    /// <param name="block">The block.</param>
    /// <param name="x">Residual stream, [batch, time, channels].</param>
    /// <param name="recomputes">Whether it keeps its input alone and computes its inside again in the backward pass.</param>
    /// <returns>[batch, time, channels].</returns>
    public static Tensor call(this Module<Tensor, Tensor> block, Tensor x, bool recomputes) =>
        recomputes ? Recompute.Call(block, x) : block.call(x);
}
