using System.Collections;
using System.Reflection;
using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>Tells whether a module of a model has hooks, without calling it.</summary>
internal sealed class ModuleHooks
{
    private static readonly string[] Fields = ["pre_hooks", "post_hooks", "module_pre_hooks", "module_post_hooks"];

    private readonly ICollection[] hooks;

    private ModuleHooks(ICollection[] hooks) => this.hooks = hooks;

    /// <summary>Whether there is one.</summary>
    public bool IsAny
    {
        get
        {
            foreach (var one in hooks)
                if (one.Count > 0) return true;
            return false;
        }
    }

    /// <summary>The hooks of a model's modules; null where this TorchSharp keeps them elsewhere.</summary>
    public static ModuleHooks? Of(nn.Module model)
    {
        var found = new List<ICollection>();
        foreach (var module in model.modules().Prepend(model))
            for (var type = module.GetType(); type is not null; type = type.BaseType)
            {
                if (!type.Name.StartsWith("HookableModule", StringComparison.Ordinal)) continue;
                foreach (var name in Fields)
                    if (type.GetField(name, BindingFlags.Instance | BindingFlags.NonPublic)?.GetValue(module) is ICollection one)
                        found.Add(one);
                    else return null;
            }
        return found.Count == 0 ? null : new ModuleHooks([.. found]);
    }
}
