using static TorchSharp.torch;

namespace ResearchKit.Tensors;

/// <summary>
/// Gradients of tensors with respect to tensors; errors are exceptions and do not end the process.
/// </summary>
public static class GuardedGrad
{
    /// <summary>
    /// Computes the gradient of the sum of an output with respect to each input, as <c>torch.autograd.grad</c>
    /// does.
    /// </summary>
    /// <remarks>
    /// TorchSharp's <c>autograd.grad</c> aborts the process where PyTorch raises an error. This method runs
    /// <c>backward</c>, whose errors are reported, for these inputs only, and restores their <c>.grad</c>.
    /// </remarks>
    /// <param name="output">Tensor to differentiate: one number, or any shape together with
    /// <paramref name="weights"/>.</param>
    /// <param name="inputs">Tensors to differentiate with respect to: leaves or intermediate results that require
    /// grad.</param>
    /// <param name="weights">Weight of each element of the output, in the output's shape.</param>
    /// <param name="keepGraph">Whether to keep the graph for another gradient.</param>
    /// <param name="createGraph">Whether the gradients are differentiable themselves (implies
    /// <paramref name="keepGraph"/>).</param>
    /// <returns>One gradient for each input, in its shape.</returns>
    /// <exception cref="ArgumentException">A shape does not match, a tensor does not require grad, or an input was
    /// not used.</exception>
    public static IReadOnlyList<Tensor> Grad(
        Tensor output, IReadOnlyList<Tensor> inputs, Tensor? weights = null, bool keepGraph = false, bool createGraph = false)
    {
        Check(output, inputs, weights);
        var before = inputs.Select(input => input.grad?.alias()).ToList();
        foreach (var input in inputs) input.grad = null;
        try
        {
            autograd.backward([output], weights is null ? null : [weights], keepGraph || createGraph, createGraph, [.. inputs]);
            return [.. inputs.Select(TakeGrad)];
        }
        finally
        {
            for (var i = 0; i < inputs.Count; i++)
            {
                inputs[i].grad = before[i];
                before[i]?.Dispose();
            }
        }
    }

    private static Tensor TakeGrad(Tensor input, int position) => input.grad?.alias()
        ?? throw new ArgumentException(
            $"Input {position} of shape {input.ShapeText()} has no part in the output.", nameof(input));

    private static void Check(Tensor output, IReadOnlyList<Tensor> inputs, Tensor? weights)
    {
        if (!output.requires_grad)
            throw new ArgumentException("The output does not depend on anything that requires grad.", nameof(output));
        if (weights is null && output.numel() != 1)
            throw new ArgumentException(
                $"An output of shape {output.ShapeText()} is not one number; give weights of the same shape.", nameof(output));
        if (weights is not null && !weights.shape.SequenceEqual(output.shape))
            throw new ArgumentException(
                $"The weights have shape {weights.ShapeText()}, the output {output.ShapeText()}.", nameof(weights));
        if (inputs.Count == 0)
            throw new ArgumentException("Nothing to differentiate by: the list of inputs is empty; expected at least 1.",
            nameof(inputs));
        for (var i = 0; i < inputs.Count; i++)
            if (!inputs[i].requires_grad)
                throw new ArgumentException($"Input {i} of shape {inputs[i].ShapeText()} does not require grad.", nameof(inputs));
    }
}
