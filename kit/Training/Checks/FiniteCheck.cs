using static TorchSharp.torch;

namespace ResearchKit.Training;

/// <summary>Finds where numbers stop being finite, once they have.</summary>
internal static class FiniteCheck
{
    /// <summary>Why a loss is not finite: the model computes it once more, watched.</summary>
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
        return culprit ?? "All that the model's modules give is finite: it arises in the loss.";
    }

    /// <summary>Where a gradient is not finite: of those, the parameter that the backward pass met first.</summary>
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
