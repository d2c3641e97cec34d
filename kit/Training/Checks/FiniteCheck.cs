using static TorchSharp.torch;

namespace ResearchKit.Training;

/// <summary>Finds the origin of NaN or infinite values after they have appeared.</summary>
internal static class FiniteCheck
{
    /// <summary>
    /// Explains why a loss is not finite: names a non-finite parameter, or computes the loss again with forward
    /// hooks and names the first module with a non-finite output.
    /// </summary>
    public static string Blame(nn.Module model, Action computeLoss)
    {
        if (model.named_parameters().FirstOrDefault(pair => !IsFinite(pair.parameter)) is { parameter: not null } weight)
            return $"The weight {weight.name} holds {Value(weight.parameter)}.";
        string? culprit = null;
        using var noGrad = no_grad();
        var hooks = ForwardHooks.Watch(model, (name, input, output) =>
        {
            if (culprit is not null || IsFinite(output)) return;
            culprit = $"The first module to give {Value(output)} is {(name.Length == 0 ? model.GetName() : name)}"
                + (IsFinite(input) ? ", from an input that is finite." : $", whose input already holds {Value(input)}.");
        });
        try
        {
            computeLoss();
        }
        finally
        {
            foreach (var hook in hooks) hook.Dispose();
        }
        return culprit ?? "The outputs of all modules of the model are finite; the value arises in the loss function.";
    }

    /// <summary>Names the parameter with a non-finite gradient that the backward pass reached first.</summary>
    public static string BlameGradient(nn.Module model)
    {
        using var scope = NewDisposeScope();
        var (name, parameter) = model.named_parameters()
            .LastOrDefault(pair => pair.parameter.grad is { } gradient && !IsFinite(gradient));
        return parameter is null ? "Each gradient is finite, but their sum of squares is not."
            : $"The gradient of {name} holds {Value(parameter.grad!)}.";
    }

    private static bool IsFinite(Tensor values)
    {
        if (!values.is_floating_point()) return true;
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        return values.isfinite().all().item<bool>();
    }

    private static string Value(Tensor values)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        return values.isnan().any().item<bool>() ? "NaN" : "an infinite number";
    }
}
