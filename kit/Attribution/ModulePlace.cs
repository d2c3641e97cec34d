using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Attribution;

/// <summary>Finds a named module and sees or replaces its output.</summary>
internal static class ModulePlace
{
    /// <summary>Hooks the output of a module until the result is disposed.</summary>
    /// <param name="model">The model.</param>
    /// <param name="at">Name of a module with one input and one output, such as <c>layer4</c> or
    /// <c>h.3.hook_resid_post</c>.</param>
    /// <param name="see">Takes the output and returns what takes its place.</param>
    /// <exception cref="ArgumentException">There is no such module; the message names some that there are.</exception>
    public static IDisposable Hook(nn.Module model, string at, Func<Tensor, Tensor> see)
    {
        var hook = Find(model, at).register_forward_hook((_, _, output) => see(output));
        return new Removal(hook.remove);
    }

    /// <summary>Finds a module by its name.</summary>
    /// <exception cref="ArgumentException">There is no such module; the message names the nearest.</exception>
    public static Module<Tensor, Tensor> Find(nn.Module model, string at)
    {
        var places = model.named_modules().Where(pair => pair.module is Module<Tensor, Tensor>).ToList();
        foreach (var (name, module) in places)
            if (name == at) return (Module<Tensor, Tensor>)module;
        var near = places.Select(place => place.name).OrderBy(name => Distance(name, at)).Take(5);
        throw new ArgumentException($"The model {model.GetName()} has no module '{at}' with one input and one output; "
            + $"the nearest of {places.Count} are {string.Join(", ", near)}.", nameof(at));
    }

    /// <summary>Edit distance of two names.</summary>
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var corner = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
                (corner, row[j]) = (row[j], Math.Min(Math.Min(row[j], row[j - 1]) + 1, corner + (a[i - 1] == b[j - 1] ? 0 : 1)));
        }
        return row[^1];
    }

    /// <summary>Runs an action once, when it is disposed.</summary>
    internal sealed class Removal(params Action[] undo) : IDisposable
    {
        private Action[]? undo = undo;

        public void Dispose()
        {
            foreach (var action in Interlocked.Exchange(ref undo, null) ?? []) action();
        }
    }
}
