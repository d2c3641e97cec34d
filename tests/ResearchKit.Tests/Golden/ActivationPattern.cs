using ResearchKit.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Golden;

/// <summary>Which ReLU units of a network are on for an input, and which of its inputs each max pooling takes.</summary>
/// <remarks>
/// Within one pattern a network of such units is a smooth function, whose gradients agree in float32 and float64. Where rounding
/// puts a unit on the other side of zero, they differ in their first digits, and neither is wrong. So float32 gradients are
/// compared with the pattern of float64 imposed, and the units that had to be imposed are counted. Only modules count, not
/// <c>functional.max_pool2d</c>.
/// </remarks>
internal sealed class ActivationPattern : IDisposable
{
    private readonly List<Tensor> choices = [];   // in the order of the forward pass: bool for a ReLU, int64 places for a pooling

    /// <summary>How many choices the forward pass made: one for each ReLU unit and each window of a pooling.</summary>
    public long Count => choices.Sum(choice => choice.numel());

    /// <summary>How many choices a run under <see cref="Impose"/> would have made differently.</summary>
    public long Changed { get; private set; }

    /// <summary>Records the pattern of each forward pass until the returned is disposed.</summary>
    public IDisposable Record(nn.Module model) => Hook(model, (_, own, output) =>
    {
        choices.Add(own.DetachFromDisposeScope());
        return output;
    });

    /// <summary>Makes a forward pass of the same input follow the recorded pattern until the returned is disposed.</summary>
    public IDisposable Impose(nn.Module model)
    {
        var next = 0;
        return Hook(model, (input, own, output) =>
        {
            var choice = choices[next++];
            Changed += own.ne(choice).sum().item<long>();
            return choice.dtype == ScalarType.Bool ? input * choice.to(input.dtype)
                : input.flatten(2).gather(2, choice.flatten(2)).view(output.shape);
        });
    }

    public void Dispose()
    {
        foreach (var choice in choices) choice.Dispose();
    }

    /// <param name="model">Its ReLUs and max poolings get a hook.</param>
    /// <param name="hook">From the input, the choices made for it and the output to the output that the next layer takes.</param>
    private static Hooks Hook(nn.Module model, Func<Tensor, Tensor, Tensor, Tensor> hook)
    {
        var relus = model.modules().OfType<Relu>()
            .Select(relu => relu.register_forward_hook((_, input, output) => hook(input, output > 0, output)));
        var pools = model.modules().OfType<MaxPool2d>()
            .Select(pool => pool.register_forward_hook((_, input, output) => hook(input, Places(pool, input), output)));
        return new Hooks([.. relus.Concat(pools).Select(remover => (Action)remover.remove)]);
    }

    private static Tensor Places(MaxPool2d pool, Tensor input)
    {
        using var scope = NewDisposeScope();
        var (_, places) = nn.functional.max_pool2d_with_indices(input.detach(), pool.kernel_size, pool.stride, pool.padding,
            pool.dilation, pool.ceil_mode);
        return places.MoveToOuterDisposeScope();
    }

    private sealed class Hooks(List<Action> removers) : IDisposable
    {
        public void Dispose()
        {
            foreach (var remove in removers) remove();
        }
    }
}
