using System.Reflection;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>What a module computed in one forward pass of the model.</summary>
/// <param name="OutputShape">Shape of its last output; empty if that is not one tensor.</param>
/// <param name="Flops">FLOPs of all its calls, with those of its submodules, as <see cref="FlopCounter"/> counts them.</param>
/// <param name="OutputBytes">
/// Memory of the outputs of all its calls; an output that shares the memory of the input, such as a view, takes none.
/// </param>
/// <param name="Calls">How often it was called.</param>
public sealed record ModuleCall(IReadOnlyList<long> OutputShape, double Flops, long OutputBytes, int Calls)
{
    /// <summary>The FLOPs by kind; those of the backward pass only where gradients were recorded.</summary>
    public OperationCounts Operations { get; init; }
}

/// <summary>Notes what each module of a model computes in a forward pass, while FLOPs are counted.</summary>
internal sealed class ModuleCalls
{
    private static readonly MethodInfo[] Hooking = [.. typeof(ModuleCalls)
        .GetMethods(BindingFlags.Instance | BindingFlags.NonPublic).Where(method => method.Name == nameof(Hook))];

    private readonly Dictionary<nn.Module, ModuleCall> calls = [];
    private readonly List<Action> removals = [];
    private readonly Stack<OperationCounts> starts = new();
    private readonly Stack<nn.Module> running = new();
    private bool passesHookPoints;

    /// <summary>Runs the model in evaluation mode, and returns what each module that was called computed.</summary>
    public static IReadOnlyDictionary<nn.Module, ModuleCall> Of(nn.Module model, Action forward)
    {
        var noted = new ModuleCalls();
        var training = model.training;
        using var noGrad = no_grad();
        model.eval();
        try
        {
            // inside the count: hooks run in the order of registration, and a layer's FLOPs are counted before they are read
            FlopCounter.Of(model, () => noted.While(model, forward));
        }
        finally
        {
            model.train(training);
        }
        return noted.calls;
    }

    /// <summary>
    /// Runs the model while gradients are recorded, and returns what each module that was called computed. Hook points are not
    /// hooked, so that layers take the path of an ordinary run.
    /// </summary>
    /// <exception cref="InvalidOperationException">A module cannot run; the message names it.</exception>
    public static IReadOnlyDictionary<nn.Module, ModuleCall> Differentiable(nn.Module model, Action forward, bool training)
    {
        var noted = new ModuleCalls { passesHookPoints = true };
        var before = model.training;
        using var grad = enable_grad();
        model.train(training);
        try
        {
            FlopCounter.Of(model, () => noted.While(model, forward));
        }
        catch (Exception error) when (error is not OutOfMemoryException && noted.running.TryPeek(out var stopped))
        {
            var name = model.named_modules().FirstOrDefault(pair => ReferenceEquals(pair.module, stopped)).name;
            throw new InvalidOperationException($"The module {(string.IsNullOrEmpty(name) ? "at the root" : name)} "
                + $"({stopped.GetType().Name}) cannot run{(OnMeta(model) ? " on the meta device" : "")}: "
                + error.Message.Split('\n')[0], error);
        }
        finally
        {
            model.train(before);
        }
        return noted.calls;
    }

    private static bool OnMeta(nn.Module model) => model.parameters().FirstOrDefault()?.IsMeta() ?? false;

    private void While(nn.Module model, Action forward)
    {
        try
        {
            foreach (var module in model.modules().Prepend(model).Distinct())
                if (!(passesHookPoints && module is HookPoint)) Watch(module);
            forward();
        }
        finally
        {
            foreach (var remove in removals) remove();
        }
    }

    /// <summary>Hooks a module of one to three inputs; others are passed over.</summary>
    private void Watch(nn.Module module)
    {
        for (var type = module.GetType(); type is not null && type != typeof(nn.Module); type = type.BaseType)
        {
            var isBase = type.IsGenericType && type.Namespace == typeof(nn.Module).Namespace
                && type.Name.Split('`')[0] == "Module";
            if (!isBase) continue;
            var types = type.GetGenericArguments();
            Hooking.SingleOrDefault(method => method.GetGenericArguments().Length == types.Length)?.MakeGenericMethod(types)
                .Invoke(this, [module]);
            return;
        }
    }

    private void Hook<T, TResult>(nn.Module<T, TResult> module)
    {
        removals.Add(module.register_forward_pre_hook((_, input) => Begun(module, input)).remove);
        removals.Add(module.register_forward_hook((_, input, output) => Ended(module, input, output)).remove);
    }

    private void Hook<T1, T2, TResult>(nn.Module<T1, T2, TResult> module)
    {
        removals.Add(module.register_forward_pre_hook((_, first, second) => (Begun(module, first), second)).remove);
        removals.Add(module.register_forward_hook((_, input, _, output) => Ended(module, input, output)).remove);
    }

    private void Hook<T1, T2, T3, TResult>(nn.Module<T1, T2, T3, TResult> module)
    {
        removals.Add(module.register_forward_pre_hook((_, first, second, third) => (Begun(module, first), second, third)).remove);
        removals.Add(module.register_forward_hook((_, input, _, _, output) => Ended(module, input, output)).remove);
    }

    private T Begun<T>(nn.Module module, T input)
    {
        starts.Push(FlopTally.Counts);
        running.Push(module);
        return input;
    }

    private TResult Ended<T, TResult>(nn.Module module, T input, TResult output)
    {
        var operations = FlopTally.Counts - starts.Pop();
        running.Pop();
        if (IsLeafOfTorchSharp(module) && input is Tensor x && output is Tensor y) ActivationRules.Layer(module, x, y);
        var before = calls.GetValueOrDefault(module) ?? new ModuleCall([], 0, 0, 0);
        var shape = output is Tensor tensor ? tensor.shape : [];
        calls[module] = new(shape, before.Flops + operations.Forward, before.OutputBytes + Bytes(input, output), before.Calls + 1)
        {
            Operations = before.Operations + operations,
        };
        return output;
    }

    private static bool IsLeafOfTorchSharp(nn.Module module) =>
        ActivationTape.Current is not null && module.GetType().Assembly == typeof(nn.Module).Assembly && !module.children().Any();

    private static long Bytes(object? input, object? output)
    {
        if (output is not Tensor made) return 0;
        var address = ModuleSummaryWalk.AddressOf(made);
        var isShared = address is not null && input is Tensor given && ModuleSummaryWalk.AddressOf(given) == address;
        return isShared ? 0 : made.numel() * made.element_size();
    }
}
