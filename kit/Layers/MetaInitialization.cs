using ResearchKit.Native;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>Makes models without numbers, whose memory comes when there is something to put into it.</summary>
/// <remarks>
/// A model that will be filled from a file need not draw its random numbers first. It is made on the meta device, where tensors
/// have shapes only, and each tensor then gets memory that nothing has touched.
/// </remarks>
internal static class MetaInitialization
{
    private static readonly Lock OneAtATime = new();

    /// <summary>
    /// TorchSharp's layers that hold their parameters themselves; those of its other layers live in native code too.
    /// </summary>
    private static readonly HashSet<Type> Managed =
        [typeof(Linear), typeof(LayerNorm), typeof(GroupNorm), typeof(Conv1d), typeof(Conv2d), typeof(Conv3d),
        typeof(BatchNorm1d), typeof(BatchNorm2d), typeof(BatchNorm3d)];

    /// <summary>Makes a model on the meta device.</summary>
    /// <remarks>
    /// TorchSharp has one default device for the whole process. While a model is made, which takes milliseconds, a tensor that
    /// another thread makes without naming a device is on the meta device too.
    /// </remarks>
    public static T Make<T>(Func<T> make)
    {
        lock (OneAtATime)
        {
            var device = get_default_device();
            set_default_device(new Device(DeviceType.META));
            try
            {
                return make();
            }
            finally
            {
                set_default_device(device);
            }
        }
    }

    /// <summary>Whether every tensor of a model can get its memory later, being one of those that will be filled.</summary>
    public static bool CanFill(nn.Module model, IEnumerable<string> filled)
    {
        var all = model.named_buffers().Select(pair => pair.name).Concat(model.named_parameters().Select(pair => pair.name));
        return !all.Except(filled).Any() && Modules(model).All(module =>
            module.GetType().Assembly != typeof(Linear).Assembly || Managed.Contains(module.GetType())
                || !module.named_parameters(recurse: false).Any());
    }

    /// <summary>Gives each tensor of a model on the meta device its numbers.</summary>
    /// <param name="tensors">The model's, with their names.</param>
    /// <param name="numbers">A tensor of the same shape, by the name and the one without numbers.</param>
    public static void Fill(IEnumerable<KeyValuePair<string, Tensor>> tensors, Func<string, Tensor, Tensor> numbers)
    {
        foreach (var (name, tensor) in tensors)
        {
            if (tensor.device_type != DeviceType.META) continue;   // filled by its other name
            using var memory = numbers(name, tensor);
            memory.requires_grad = tensor.requires_grad;
            NativeTensors.Assign(tensor, memory);
        }
    }

    private static IEnumerable<nn.Module> Modules(nn.Module model) => model.modules().Prepend(model);
}
